"""onnxruntime sessions, set up for a machine that has a window to draw as well."""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING, Any

from edgecam.detector.limits import MAX_NUMBERS, Limits, strangers_memory_mb
from edgecam.detector.onnx_file import OnnxFile, read_onnx_file
from edgecam.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    import onnxruntime

# In onnxruntime's messages: of its pool that is used up, and of a system that has no more.
NO_MEMORY = ("available memory of", "failed to allocate", "bad_alloc", "bad alloc")
PREFERRED_PROVIDERS = ("CUDAExecutionProvider", "OpenVINOExecutionProvider", "CoreMLExecutionProvider")


class OutOfMemory(ModelError):
    """A model wanted more memory than there was, or than it may have."""


def default_threads() -> int:
    """One core stays free for camera and window."""
    return max(1, (_usable_cores() or 2) - 1)


def _usable_cores() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def create_session(path: Path, *, threads: int, provider: str | None = None) -> onnxruntime.InferenceSession:
    """A session of the model in `path`.

    Args:
        threads: of one operator; they sleep instead of spinning while they wait.
        provider: an execution provider's name; None takes the CPU.

    Raises:
        ModelError: no such file, not a model, or one that onnxruntime cannot run.
    """
    return open_session(read_onnx_file(path), path, threads=threads, provider=provider)


def open_session(
    file: OnnxFile, path: Path, *, threads: int, provider: str | None = None, limits: Limits | None = None
) -> onnxruntime.InferenceSession:
    """The same, of a file that was looked through already.

    Args:
        limits: of a stranger, which takes its memory from the strangers' pool.
    """
    # Before the import: wheels of onnxruntime >= 1.29 report usage to their maker unless told not to.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as ort  # slow to import: only where a model is really loaded

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    # Spinning threads take whole cores from camera and window, for no gain measured at camera rates.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # x86 without VNNI adds int8 products in 16 bits, where they overflow: half of an int8 model's error, for 1.4 times
    # the speed. This takes the exact way there, and changes nothing on other processors.
    options.add_session_config_entry("session.x64quantprecision", "1")
    if limits is not None:
        strangers_memory_mb(limits.memory_mb)
        options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = 4  # what fails comes as an exception; nothing is printed beside it
    providers = [provider, "CPUExecutionProvider"] if provider else ["CPUExecutionProvider"]
    missing = [name for name in providers if name not in ort.get_available_providers()]
    if missing:
        raise ModelError(f"onnxruntime on this machine has no {missing[0]}; it has {_names(ort)}.")
    # Weights listed among the inputs could be replaced by a caller: onnxruntime leaves optimisations out for them.
    # Resolved, as the check of further files was: both must look in the same folder.
    model = file.without_weight_inputs or str(path.resolve())
    try:
        return ort.InferenceSession(model, sess_options=options, providers=providers, enable_fallback=0)
    except Exception as error:
        if _is_memory(error):
            raise OutOfMemory(f"{path}: there is not enough memory to load this model.") from error
        raise ModelError(f"{path}: this is not a model that onnxruntime can run ({_one_line(error)}).") from error


def run_session(
    session: onnxruntime.InferenceSession,
    names: list[str],
    feed: dict[str, Any],
    *,
    limits: Limits | None = None,
    tidy: bool = False,
) -> list[Any]:
    """One inference.

    Args:
        limits: of a stranger: it is broken off after `run_s`; None for no limit, which spares a thread per run.
        tidy: of a stranger: what the pool holds and nobody uses is given back afterwards, which takes a while.

    Raises:
        OutOfMemory: it wants more than it may have.
        ModelError: the model fails on this input, does not come to an end, or gives absurdly much.
    """
    outputs = _run(session, names, feed) if limits is None else _run_limited(session, names, feed, limits, tidy=tidy)
    numbers = count_numbers(outputs)
    if numbers > MAX_NUMBERS:
        raise ModelError(f"The model gave {numbers} numbers for one picture; edgecam reads at most {MAX_NUMBERS}.")
    return outputs


def count_numbers(outputs: list[Any]) -> int:
    """How many numbers a model gave; lists and maps, which some give, count as none."""
    return sum(getattr(output, "size", 0) for output in outputs)


def _run(session: onnxruntime.InferenceSession, names: list[str], feed: dict[str, Any]) -> list[Any]:
    try:
        return list(session.run(names, feed))
    except Exception as error:
        raise _failure(error) from error


def _run_limited(
    session: onnxruntime.InferenceSession, names: list[str], feed: dict[str, Any], limits: Limits, *, tidy: bool
) -> list[Any]:
    import onnxruntime as ort

    options = ort.RunOptions()
    options.log_severity_level = 4
    if tidy:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    alarm = threading.Timer(limits.run_s, setattr, (options, "terminate", True))
    alarm.daemon = True
    alarm.start()
    try:
        return list(session.run(names, feed, options))
    except Exception as error:
        if options.terminate:
            raise ModelError(f"The model did not finish one picture within {limits.run_s:g} s.") from error
        raise _failure(error) from error
    finally:
        alarm.cancel()


def _failure(error: Exception) -> ModelError:
    if _is_memory(error):
        return OutOfMemory("The model needs more memory than it may have here.")
    return ModelError(f"The model failed while running: {_one_line(error)}.")


def _is_memory(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in NO_MEMORY)


def _names(ort: Any) -> str:
    return ", ".join(ort.get_available_providers())


def _one_line(error: Exception) -> str:
    """The text of onnxruntime's error in one line, without its code."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = "".join(char for char in text if char.isprintable())
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text).rstrip(".")[:300]
