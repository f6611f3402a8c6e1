"""The names of capabilities in the lists of different servers: flags, words in a list, and types."""

from catalogue.vocabulary import Capability
from providers._kit.row import Row

_FLAGS: dict[Capability, tuple[str, ...]] = {
    Capability.CHAT: ("supports_chat", "chat_completion", "completion_chat"),
    Capability.VISION: ("supports_vision", "supports_image_in", "supports_image_input", "vision"),
    Capability.VIDEO_INPUT: ("supports_video_in",),
    Capability.TOOLS: (
        "supports_tools",
        "supports_tool_calling",
        "supports_function_calling",
        "function_calling",
        "trained_for_tool_use",
    ),
    Capability.STRUCTURED_OUTPUT: ("supports_structured_output", "supports_response_schema", "structured_outputs"),
    Capability.REASONING: ("supports_reasoning", "reasoning"),
    Capability.PROMPT_CACHING: ("supports_caching", "supports_prompt_caching"),
    Capability.WEB_SEARCH: ("supports_web_search",),
    Capability.COMPUTER_USE: ("supports_computer_use",),
}
_WORDS: dict[Capability, set[str]] = {
    Capability.VISION: {"vision", "input:image"},
    Capability.TOOLS: {"tools", "tool-use", "tool-calling", "function-calling", "function_calling"},
    Capability.STRUCTURED_OUTPUT: {"structured_outputs", "structured-outputs", "structured-output", "json_schema"},
    Capability.JSON_MODE: {"response_format", "json_mode"},
    Capability.REASONING: {"reasoning", "thinking"},
    Capability.WEB_SEARCH: {"web-search", "web_search_options"},
    Capability.PROMPT_CACHING: {"caching", "prompt_cache", "implicit-caching", "explicit-caching"},
}
_TYPES: dict[str, set[Capability]] = {
    "chat": {Capability.CHAT},
    "llm": {Capability.CHAT},
    "vlm": {Capability.CHAT, Capability.VISION},
    "completion": {Capability.COMPLETION},
    "embedding": {Capability.EMBEDDING},
    "embeddings": {Capability.EMBEDDING},
    "rerank": {Capability.RERANK},
    "reranking": {Capability.RERANK},
    "moderation": {Capability.MODERATION},
    "transcription": {Capability.TRANSCRIPTION},
    "audio_transcription": {Capability.TRANSCRIPTION},
    "speech": {Capability.SPEECH},
    "audio_speech": {Capability.SPEECH},
}


def claims_in(row: Row) -> dict[Capability, bool]:
    """The claims that a row makes by a known name. A word or type claims true; its absence claims nothing."""
    flags = row.row("capabilities").over(row)
    stated = {capability: flags.flag(*names) for capability, names in _FLAGS.items()}
    claims = {capability: claimed for capability, claimed in stated.items() if claimed is not None}
    lists = (row.words(name) or () for name in ("supported_parameters", "features", "capabilities", "tags"))
    words = {word.lower() for found in lists for word in found}
    claims |= {capability: True for capability, known in _WORDS.items() if known & words}
    kind = (row.name("type", "model_type", "mode", "api") or "").lower()
    return claims | dict.fromkeys(_TYPES.get(kind, ()), True)
