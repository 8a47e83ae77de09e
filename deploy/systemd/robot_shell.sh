#!/bin/sh
# The SSH account's one program, from software that is confirmed: during a trial, from the one before. By its own place,
# not through the link, which an update moves under it. Argument: the robot's home.
software=$1/software
link=$software/current
[ -e "$software/fallback" ] && link=$software/fallback
exec "$(readlink -f "$link")/venv/bin/python" -m deploy.robot_shell --home "$1"
