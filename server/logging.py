"""Logging for the whole process: records of structlog and the standard library go to stderr, redacted."""

import logging
import re
import sys
import threading
from typing import Literal

import structlog
from structlog import processors, stdlib
from structlog.stdlib import ProcessorFormatter

from server.redaction import Redactor

LogFormat = Literal["auto", "console", "json"]

_LEAST = {
    **dict.fromkeys(("uvicorn.access", "aiohttp.access"), logging.CRITICAL + 1),
    **dict.fromkeys(("uvicorn.error", "websockets"), logging.INFO),
    "aiocache": logging.WARNING,
}
"""Minimum levels of loggers that log request lines, callers' keys' fingerprints, or whole frames and headers."""
_SOCKET_WRITER = "uvicorn.error"
"""The logger that logs each WebSocket's opening and end with its query string, which may hold keys."""
_SOCKET_LINES = re.compile(r'%s - "WebSocket |connection (?:open|closed|rejected)')


def configure(log_format: LogFormat, level: str, redactor: Redactor) -> None:
    """Send all records through the redactor to stderr; `auto` selects the console format if stderr is a terminal."""
    on_terminal = sys.stderr.isatty()
    for_people = log_format == "console" or (log_format == "auto" and on_terminal)
    renderer = structlog.dev.ConsoleRenderer(colors=on_terminal) if for_people else processors.JSONRenderer()
    stamp: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        stdlib.add_log_level,
        stdlib.add_logger_name,
        processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*stamp, ProcessorFormatter.wrap_for_formatter],
        logger_factory=stdlib.LoggerFactory(),
        wrapper_class=stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatting: list[structlog.typing.Processor] = [ProcessorFormatter.remove_processors_meta, redactor, renderer]
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=stamp, processors=formatting))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    for name, least in _LEAST.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.getLogger(_SOCKET_WRITER).addFilter(_is_not_about_a_socket)
    logging.captureWarnings(capture=True)
    # A record that cannot be formatted would be printed unredacted.
    logging.raiseExceptions = False
    _log_uncaught_exceptions()


def _log_uncaught_exceptions() -> None:
    """Replace Python's own hooks, which print exceptions unredacted."""
    log = logging.getLogger(__name__)
    sys.excepthook = lambda _type, error, _trace: log.critical("exception_ended_process", exc_info=error)
    threading.excepthook = lambda args: log.error("exception_ended_thread", exc_info=args.exc_value)
    sys.unraisablehook = lambda args: log.error("exception_not_raised", exc_info=args.exc_value)


def _is_not_about_a_socket(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or not _SOCKET_LINES.match(str(record.msg))
