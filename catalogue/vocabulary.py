"""The enumerations of facts, conclusions and changes. Clients see the docstrings and descriptions in the schema."""

from enum import Enum
from typing import Self


class Described(Enum):
    """An enumeration whose members have a description beside their value."""

    description: str

    def __new__(cls, value: object, description: str = "") -> Self:
        """Make the member of a value."""
        member = object.__new__(cls)
        member._value_ = value
        member.description = description
        return member


class ModelStatus(Described):
    """The availability of a model."""

    AVAILABLE = "available", "The model can be used."
    LIMITED = "limited", "The model can probably be used, but its provider is degraded or its data is out of date."
    DEPRECATED = "deprecated", "The provider marks the model as deprecated, or its announced end has passed."
    UNAVAILABLE = "unavailable", "The provider is down or no longer lists the model."


class HealthStatus(Described):
    """The health of a provider or endpoint."""

    HEALTHY = "healthy", "Calls succeed."
    DEGRADED = "degraded", "The latest calls failed or got unusable responses, for instance because a key was rejected."
    DOWN = "down", "At least three calls in a row failed. Two successful calls in a row end this."
    UNKNOWN = "unknown", "No call has been made yet. For an endpoint, the provider does not publish its health."


class Capability(Described):
    """Something that a model can do, named the same for all providers."""

    CHAT = "chat", "Answers conversations of several messages."
    COMPLETION = "completion", "Continues plain text."
    VISION = "vision", "Accepts images."
    AUDIO_INPUT = "audio_input", "Accepts audio."
    VIDEO_INPUT = "video_input", "Accepts video."
    FILE_INPUT = "file_input", "Accepts files such as PDF documents."
    IMAGE_OUTPUT = "image_output", "Generates images."
    AUDIO_OUTPUT = "audio_output", "Generates audio."
    VIDEO_OUTPUT = "video_output", "Generates video."
    TOOLS = "tools", "Calls functions that the request defines."
    STRUCTURED_OUTPUT = "structured_output", "Generates JSON that follows a schema from the request."
    JSON_MODE = "json_mode", "Generates valid JSON, without a schema."
    REASONING = "reasoning", "Reasons before it answers."
    CODE = "code", "Is made for programming, according to its name or the provider's tags."
    WEB_SEARCH = "web_search", "Searches the web."
    COMPUTER_USE = "computer_use", "Operates a computer through its screen, keyboard and mouse."
    PROMPT_CACHING = "prompt_caching", "Reuses cached prompt tokens, usually at a lower price."
    EMBEDDING = "embedding", "Turns its input into vectors."
    RERANK = "rerank", "Sorts documents by relevance to a query."
    MODERATION = "moderation", "Detects harmful content."
    TRANSCRIPTION = "transcription", "Turns speech into text."
    SPEECH = "speech", "Turns text into speech."


class Modality(Described):
    """A form of data that a model accepts or generates."""

    TEXT = "text", "Text."
    IMAGE = "image", "Images."
    AUDIO = "audio", "Audio."
    VIDEO = "video", "Video."
    FILE = "file", "Files such as PDF documents."
    EMBEDDING = "embedding", "Vectors."


class DataSource(Described):
    """The origin of a model's data."""

    LIVE = "live", "A current list, read from the provider since the server started."
    LAST_GOOD = "last_good", "The provider's last good list, which is out of date or from before the server started."
    BASELINE = "baseline", "Data packaged with the server, because the provider has never returned a good list."


class KeySource(Described):
    """The owner of the key that a provider's list is read with."""

    ENVIRONMENT = "environment", "The server's own key."
    USER = "user", "The caller's own key, sent with this request."
    NONE = "none", "No key. The list is public or cannot be read."


class ProviderErrorCode(Described):
    """A kind of problem with a provider."""

    UNREACHABLE = "unreachable", "No connection, an incomplete response, or a server error (5xx)."
    TIMEOUT = "timeout", "No complete response in time."
    UNAUTHORIZED = "unauthorized", "The provider rejects the key."
    RATE_LIMITED = "rate_limited", "The provider received too many requests (429)."
    REJECTED = "rejected", "The provider returned another error, or its list could not be stored."
    MALFORMED = "malformed", "The response is not a model list, or some of its rows are unreadable."
    SUSPICIOUS = "suspicious", "A suspicious list is quarantined or was discarded."
    UNCONFIGURED = "unconfigured", "The server lacks the key that the provider requires."


class BreakerState(Described):
    """The state of a provider's circuit breaker, which stops calls while the provider is down."""

    CLOSED = "closed", "Calls pass."
    OPEN = "open", "No calls pass until the next check."
    HALF_OPEN = "half_open", "Only checks pass. They decide whether the breaker closes."


class UptimeWindow(Described):
    """A time window that ends now."""

    HOUR = "hour", "The last hour, in buckets of one minute."
    DAY = "day", "The last 24 hours, in buckets of one hour."
    WEEK = "week", "The last 7 days, in buckets of one hour."
    QUARTER = "quarter", "The last 90 days, in buckets of one day."


class RefreshOutcome(Described):
    """The outcome of a provider's refresh."""

    UPDATED = "updated", "The list was read and replaces a different one."
    UNCHANGED = "unchanged", "The list was read and is the same as before."
    KEPT_LAST_GOOD = "kept_last_good", "No usable list was read, so the last good one stays in use."
    QUARANTINED = "quarantined", "The list is suspicious and waits for an admin's decision."
    FAILED = "failed", "No list is in use because none was ever read, or the server itself failed."
    SKIPPED = "skipped", "No list was read: the provider is not configured, or its list is fresh and `force` is false."
    IN_PROGRESS = "in_progress", "The refresh continues after the response, which waits for 8 seconds at most."


class RefreshStep(Described):
    """A step of a provider's refresh."""

    WAITING = "waiting", "Waits for an earlier refresh or check of the provider to end."
    FETCHING = "fetching", "Downloads the list."
    READING = "reading", "Parses the list."
    COMPARING = "comparing", "Compares the list with the current one."
    DONE = "done", "Has finished. `result` is set."


class EndpointState(Described):
    """Whether a model's endpoints are known."""

    READY = "ready", "The endpoints are known."
    PENDING = "pending", "The endpoints are still being read. Request them again in a few seconds."
    UNSUPPORTED = "unsupported", "The provider does not publish endpoints."
    FAILED = "failed", "The endpoints could not be read."


class KeyCheckOutcome(Described):
    """The outcome of a key check."""

    VALID = "valid", "The provider accepts the key."
    INVALID = "invalid", "The provider rejects the key."
    UNREACHABLE = "unreachable", "The provider could not be asked."
    UNSUPPORTED = "unsupported", "The provider lists models without a key and has no way to check one."


class StatusCause(Described):
    """The cause of a status change."""

    LIST = "list", "The provider's list gained or lost the model."
    HEALTH = "health", "The provider's health changed."
    ENDING = "ending", "The model's end or deprecation was announced, withdrawn or reached."
    AGE = "age", "The provider's list became too old, or current again."
    CONFIGURATION = "configuration", "The server's configuration of the provider changed."


class MigrationReason(Described):
    """The reason for a migration."""

    RENAMED = "renamed", "The same model has a new id."
    MOVED = "moved", "The model is now offered elsewhere."
    DEPRECATED = "deprecated", "Another model replaces the deprecated one."
