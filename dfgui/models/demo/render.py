"""Conversations as the qwen3 template renders them, in pieces that are learned or not.

    pieces({"messages": [{"role": "user", "content": "Repeat: 42"}, {"role": "assistant", "content": "42"}], ...})
    -> [("<|im_start|>user\\nRepeat: 42<|im_end|>\\n<|im_start|>assistant\\n", False),
        ("<think>\\n\\n</think>\\n\\n42<|im_end|>\\n", True)]

A system message is learned too. Written out because rendering by Jinja would take as long as the training step; a test
holds it equal to the template.
"""

import json
from typing import Any

HEADER = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
FOOTER = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments within "
    "<tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)
THINK = "<think>\n\n</think>\n\n"


def pieces(conversation: dict[str, Any], think: str = THINK) -> list[tuple[str, bool]]:
    """The text of a conversation, cut where learning starts and stops; `think` opens each answer."""
    messages = list(conversation["messages"])
    system = messages.pop(0)["content"] if messages[0]["role"] == "system" else None
    out: list[tuple[str, bool]] = [("<|im_start|>system\n", False), (system, True)] if system else []
    text = _tools(conversation["tools"], bool(system))
    for message in messages:
        role, content = message["role"], message["content"]
        if role == "assistant":
            out += [(text + "<|im_start|>assistant\n", False), (think + content + "<|im_end|>\n", True)]
            text = ""
        elif role == "tool":
            text += f"<|im_start|>user\n<tool_response>\n{content}\n</tool_response><|im_end|>\n"
        else:
            text += f"<|im_start|>{role}\n{content}<|im_end|>\n"
    return out


def _tools(tools: list[dict[str, Any]] | None, after_system: bool) -> str:
    """What stands between the system's own words and the first turn."""
    if not tools:
        return "<|im_end|>\n" if after_system else ""
    schemas = "".join("\n" + json.dumps(tool, ensure_ascii=False) for tool in tools)
    opening = "\n\n" if after_system else "<|im_start|>system\n"
    return opening + HEADER + schemas + FOOTER + "<|im_end|>\n"
