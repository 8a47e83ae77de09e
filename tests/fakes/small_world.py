"""A 4 m x 3 m box room with one pillar as MJCF: the smallest world in which the stand-in can be tried."""

from foundation.geometry import IDENTITY, Pose2D
from foundation.robot_config import RobotConfig
from simulation.robot_model import robot_mjcf

WALLS = (
    ("east", 2.05, 0, 0.05, 1.6),
    ("west", -2.05, 0, 0.05, 1.6),
    ("north", 0, 1.55, 2.1, 0.05),
    ("south", 0, -1.55, 2.1, 0.05),
)


def small_world(config: RobotConfig, start: Pose2D = IDENTITY, *, wheel_scale=(1.0, 1.0)) -> str:
    robot = robot_mjcf(config, start, wheel_scale=wheel_scale)
    walls = "".join(
        f'<geom name="wall:{name}" type="box" pos="{x} {y} .5" size="{half_x} {half_y} .5" rgba=".8 .8 .7 1"/>'
        for name, x, y, half_x, half_y in WALLS
    )
    return f"""<mujoco model="small">
  <option integrator="implicitfast"/>
  <visual><global offwidth="640" offheight="480"/></visual>
  <worldbody>
    <light pos="0 0 3" dir="0 0 -1" castshadow="false"/>
    <geom name="floor" type="plane" size="3 3 .1" rgba=".6 .5 .4 1"/>
    {walls}
    <body name="pillar" pos="1 1 .5"><geom name="pillar" type="cylinder" size=".1 .5" rgba=".2 .2 .8 1"/></body>
    {robot.worldbody}
  </worldbody>
  <actuator>
{robot.actuator}
  </actuator>
</mujoco>"""
