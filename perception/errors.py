"""What can be wrong with data and models, as errors.

PerceptionError
    SampleError       a shard, manifest or sample that is not what docs/data_format.md says
    TaskError         a task that nobody defined, or data that does not fit it
    TrainingError     training that cannot go on (no samples, a loss that is no number)
    BundleError       a bundle or an ONNX file that must not be run
    EvaluationError   a figure that would not be true (leaking split, labels made by clustering)
"""

from foundation.errors import OxturnError


class PerceptionError(OxturnError):
    """Base of this folder's errors."""


class SampleError(PerceptionError):
    """Data that breaks the sample format."""


class TaskError(PerceptionError):
    """An unknown task, or data that does not fit it."""


class TrainingError(PerceptionError):
    """Training that cannot start or go on."""


class BundleError(PerceptionError):
    """A model that is refused."""


class EvaluationError(PerceptionError):
    """A figure that is refused because it would not be true."""
