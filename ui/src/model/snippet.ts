/** The configuration of a new application, ready to run. */

/** What a process says of itself, where its own events are shown. */
export const FIRST_LINE = `import logging

logging.getLogger("hello").warning("the first event")`;

/** What sends to the hub at `url`, and says hello. */
export function firstRecord(url: string, service: string): string {
  return `import logging.config

logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "loghub.JSONFormatter", "static": {"service": ${quoted(service)}}},
    },
    "handlers": {
        "hub": {
            "class": "loghub.RemoteHandler",
            "url": ${quoted(url)},
            "formatter": "json",
        },
    },
    "root": {"level": "INFO", "handlers": ["hub"]},
})
logging.getLogger("hello").warning("the first event")`;
}

/** A JSON text is a Python text, but for the escapes of characters beyond 16 bits, which JSON.stringify does not write. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
