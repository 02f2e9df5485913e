"""What a run leaves behind, and how it comes home: checkpoints, merged models, zips.

from dfgui.artifacts import checkpoints, export

last = checkpoints.inside(run_folder)[-1]
export.export(last.path, base="Qwen/Qwen3-0.6B", kind="merged", to=Path("weather"), dtype="bfloat16")
"""
