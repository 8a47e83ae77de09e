"""Webots' capture controller: labelled samples of the world that is open; see simulation.world_files."""

from simulation.world_files import capture_in_webots

raise SystemExit(capture_in_webots())
