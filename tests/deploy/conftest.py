"""hypothesis without its stop watch: a busy machine is no defect of a parser."""

from hypothesis import settings

settings.register_profile("deploy", deadline=None)
settings.load_profile("deploy")
