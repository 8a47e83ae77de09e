"""Webots' coverage controller: press play and the robot covers the room; see simulation.coverage_controller."""

from simulation.coverage_controller import main

raise SystemExit(main())
