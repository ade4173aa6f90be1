"""The errors a user may meet. Their text says what failed, which device or file, and what to do."""


class EdgecamError(Exception):
    """Base of every expected failure; its text is fit to be shown as it is."""


class CameraError(EdgecamError):
    """A camera, file or stream cannot be opened or read."""


class CameraTimeout(CameraError):
    """No frame came within the time given to `Camera.read`; the camera may still come back by itself."""


class CameraLost(CameraError):
    """The camera went away (unplugged, server closed, driver error); it has to be opened again."""


class CameraBusy(CameraError):
    """Another program holds the camera; the text names it where it can be seen."""


class CameraDenied(CameraError):
    """The user has no permission for the camera; the text names the missing group."""


class CredentialsNeeded(CameraError):
    """The server of a stream asks for a user name and a password, or refuses those it was given."""


class EndOfStream(CameraError):
    """A file or folder has no further frame. This is an end, not a failure."""


class ModelError(EdgecamError):
    """A model file cannot be loaded, understood or run."""


class DataError(EdgecamError):
    """A data set, label file or setting is broken; the text names the file and, where it has one, the line."""


class UsageError(EdgecamError):
    """The command line asks for something that cannot be done."""
