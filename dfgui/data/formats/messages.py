"""OpenAI and DeepFabric rows: {"messages": [{"role": "user", "content": "Hi"}, ...], "tools": [...]}.

Arguments may be objects or JSON text, `tools` a list or JSON text; `functions` is read too. Older DeepFabric exports
hold their tools in `available_tools`, beside the messages or inside `tool_context`:

    {"name": "get_weather", "description": "...", "parameters": [{"name": "city", "type": "str", "required": true}]}
"""

from typing import Any

from dfgui.data.conversation import Conversation, from_json, to_messages, to_tools

ORDER = 10
LABEL = "DeepFabric / OpenAI messages"
NEEDS = "`messages`, a list of messages with role and content"
TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object"}


def matches(row: dict) -> bool:
    turns = from_json(row.get("messages"))
    return isinstance(turns, list) and all(isinstance(turn, dict) and "role" in turn for turn in turns)


def to_conversation(row: dict) -> Conversation:
    return Conversation(messages=to_messages(row["messages"]), tools=tools_of(row))


def tools_of(row: dict) -> list[dict]:
    """The row's tools, wherever it keeps them."""
    context = from_json(row.get("tool_context"))
    places = [row.get("tools"), row.get("functions"), row.get("available_tools")]
    if isinstance(context, dict):
        places.append(context.get("available_tools"))
    tools = next((found for place in places if (found := from_json(place))), None)
    return to_tools([_modern(tool) for tool in tools] if isinstance(tools, list) else tools)


def _modern(tool: Any) -> Any:
    """An older DeepFabric tool, whose parameters are a list, as a function schema. Anything else as it is."""
    parameters = tool.get("parameters") if isinstance(tool, dict) else None
    if not isinstance(parameters, list) or not all(isinstance(p, dict) and p.get("name") for p in parameters):
        return tool
    properties = {p["name"]: {"type": _type(p), "description": p.get("description")} for p in parameters}
    required = [p["name"] for p in parameters if p.get("required")]
    schema = {"type": "object", "properties": properties, "required": required}
    return {"name": tool.get("name"), "description": tool.get("description"), "parameters": schema}


def _type(parameter: dict) -> str:
    return TYPES.get(str(parameter.get("type")), str(parameter.get("type") or "string"))
