"""The fixed words of the catalogue: the enumerations that facts, conclusions and changes are written in."""

from enum import Enum


class ModelStatus(Enum):
    """Whether a model can be used now."""

    AVAILABLE = "available"
    LIMITED = "limited"
    DEPRECATED = "deprecated"
    UNAVAILABLE = "unavailable"


class HealthStatus(Enum):
    """How a provider answers; UNKNOWN until it was asked."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class Capability(Enum):
    """What a model can do, in one vocabulary for all providers."""

    CHAT = "chat"
    COMPLETION = "completion"
    VISION = "vision"
    AUDIO_INPUT = "audio_input"
    VIDEO_INPUT = "video_input"
    FILE_INPUT = "file_input"
    IMAGE_OUTPUT = "image_output"
    AUDIO_OUTPUT = "audio_output"
    VIDEO_OUTPUT = "video_output"
    TOOLS = "tools"
    STRUCTURED_OUTPUT = "structured_output"
    JSON_MODE = "json_mode"
    REASONING = "reasoning"
    CODE = "code"
    WEB_SEARCH = "web_search"
    COMPUTER_USE = "computer_use"
    PROMPT_CACHING = "prompt_caching"
    EMBEDDING = "embedding"
    RERANK = "rerank"
    MODERATION = "moderation"
    TRANSCRIPTION = "transcription"
    SPEECH = "speech"


class Modality(Enum):
    """A form of data that a model takes or gives."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    EMBEDDING = "embedding"


class DataSource(Enum):
    """Where a model's data comes from: the provider just now, the last good list, or the packaged baseline."""

    LIVE = "live"
    LAST_GOOD = "last_good"
    BASELINE = "baseline"


class KeySource(Enum):
    """Whose key reads a provider's list."""

    ENVIRONMENT = "environment"
    USER = "user"
    NONE = "none"


class ProviderErrorCode(Enum):
    """What went wrong with a provider, by what can be done about it."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate_limited"
    REJECTED = "rejected"
    MALFORMED = "malformed"
    SUSPICIOUS = "suspicious"
    UNCONFIGURED = "unconfigured"


class BreakerState(Enum):
    """Whether calls to a provider pass: all (CLOSED), none (OPEN), or a single probe (HALF_OPEN)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class UptimeWindow(Enum):
    """A span of health history that ends now."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    QUARTER = "quarter"


class RefreshOutcome(Enum):
    """What a refresh did for one provider."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT_LAST_GOOD = "kept_last_good"
    QUARANTINED = "quarantined"
    FAILED = "failed"
    SKIPPED = "skipped"
    IN_PROGRESS = "in_progress"


class RefreshStep(Enum):
    """How far the refresh of one provider has come."""

    WAITING = "waiting"
    FETCHING = "fetching"
    READING = "reading"
    COMPARING = "comparing"
    DONE = "done"


class EndpointState(Enum):
    """Whether a model's endpoints are known: read, still being read, not published by the provider, or not readable."""

    READY = "ready"
    PENDING = "pending"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"


class KeyCheckOutcome(Enum):
    """What a provider said of a key."""

    VALID = "valid"
    INVALID = "invalid"
    UNREACHABLE = "unreachable"
    UNSUPPORTED = "unsupported"


class MigrationReason(Enum):
    """Why a model's id stands for another one now."""

    RENAMED = "renamed"
    MOVED = "moved"
    DEPRECATED = "deprecated"
