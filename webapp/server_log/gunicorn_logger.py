"""gunicorn's logger, and everybody else's, in the format that the settings name."""

import logging
from typing import Any

from gunicorn.glogging import Logger

from webapp.server_log.formats import LineFormatter


def make_logger_class(formatter: LineFormatter, *, access_log: bool) -> type[Logger]:
    """For gunicorn's setting `logger_class`."""

    class ServerLogger(Logger):  # type: ignore[misc]
        """One formatter for all lines of all loggers, which go where gunicorn's errors go."""

        def setup(self, cfg: Any) -> None:
            """Called at the start, and again at each reload."""
            super().setup(cfg)
            for handler in self.error_log.handlers:
                handler.setFormatter(formatter)
            root = logging.getLogger()
            root.handlers = list(self.error_log.handlers)
            root.setLevel(logging.WARNING)
            logging.getLogger("webapp").setLevel(self.loglevel)
            access_level = logging.INFO if access_log else logging.CRITICAL
            logging.getLogger("webapp.access").setLevel(access_level)

        def access(self, *_anything: object) -> None:
            """Not here: it would log what was asked in the URL, and no stream at all."""

    return ServerLogger
