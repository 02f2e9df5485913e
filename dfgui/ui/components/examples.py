"""What a file should look like: three small ones to read and to download."""

import base64
import json
from html import escape

CALL = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CHAT = [
    {"role": "user", "content": "What is LoRA?"},
    {"role": "assistant", "content": "A small adapter beside the weights of a model."},
]
CALLING = [
    {"role": "user", "content": "Is it cold in Oslo?"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "name": "get_weather", "content": '{"celsius": 4}'},
    {"role": "assistant", "content": "Rather: it is 4 degrees."},
]
ANSWERS = """instruction,output
What is the capital of Norway?,Oslo
"Name two colours, please.","Red, and blue."
"""
EXAMPLES = [
    ("Chat", "chat.jsonl", "One conversation a line, as OpenAI writes them.", json.dumps({"messages": CHAT}) + "\n"),
    (
        "Tool calling",
        "tools.jsonl",
        "The same with the tools on offer, the call and its result.",
        json.dumps({"messages": CALLING, "tools": [TOOL]}) + "\n",
    ),
    ("Questions and answers", "answers.csv", "A table with a question and an answer a line.", ANSWERS),
]


def draw() -> str:
    return f'<div class="examples">{"".join(_example(*example) for example in EXAMPLES)}</div>'


def _example(title: str, name: str, help: str, text: str) -> str:
    link = f"data:application/octet-stream;base64,{base64.b64encode(text.encode()).decode()}"
    return (
        f"<section><h4>{escape(title)}</h4><p>{escape(help)}</p><pre tabindex='0'>{escape(text)}</pre>"
        f'<a download="{name}" href="{link}">Download {name}</a></section>'
    )
