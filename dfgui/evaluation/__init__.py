"""What a model answers, and whether its tool calls are right.

from dfgui.evaluation import generate, tool_calls

for piece in generate.generate(model, tokenizer, [{"role": "user", "content": "Weather in Oslo?"}], tools):
    print(piece, end="")
score = tool_calls.score(model, tokenizer, tool_calls.questions(held_out))
print(f"{score.right} of {score.total} calls right")
"""
