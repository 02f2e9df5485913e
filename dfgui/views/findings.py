"""What a check of a dataset found, in words.

lines(report) -> ["600 rows, 598 of them train. 24 % of 101,221 tokens are learned.",
                  "error    Cannot be read: 2 rows (17, 93). Correct these rows, or leave them out.", ...]
"""

from typing import Any

NAMED = 5  # rows named one by one


def lines(report: Any) -> list[str]:
    """The report as a terminal shows it."""
    found = [
        f"{finding.severity:<8} {finding.title}: {numbers(finding.count, finding.rows)}. {finding.advice}"
        for finding in report.findings
    ]
    return [summary(report), *lengths(report), *tools(report), *(found or ["Nothing is wrong with these rows."])]


def summary(report: Any) -> str:
    """How many rows there are, how many train, and how much of them is learned."""
    share = f"{report.trained_token_share * 100:.0f} % of {report.total_tokens:,} tokens are learned"
    left = sum(report.left_out.values())
    kept_away = f", {left:,} left out as you asked" if left else ""
    return f"{rows(report.rows)}, {report.trainable_rows:,} of them train{kept_away}. {share}."


def lengths(report: Any) -> list[str]:
    """How long rows are, and which max_length would do."""
    found = report.lengths
    if not found["max"]:
        return []
    wanted = f"max_length {found['recommended_max_length']:,} would keep nearly all rows whole"
    return [f"Tokens per row: half up to {found['median']:,}, at most {found['max']:,}; {wanted}."]


def tools(report: Any) -> list[str]:
    """How long the schemas of the tools are, all of them and those that a row calls."""
    everything, used = (round(report.tool_tokens[which] / max(report.rows, 1)) for which in ("all", "used"))
    if not everything:
        return []
    if report.tools_shown == "used":
        return [f"Tools take about {used:,} tokens of a row; {everything:,} if all were shown."]
    return [f"Tools take about {everything:,} tokens of a row; {used:,} if only those it calls were shown."]


def numbers(count: int, found: list[int]) -> str:
    """How many rows, and the first of them: "12 rows (3, 17, 20, 31, 44, ...)"."""
    named = ", ".join(map(str, found[:NAMED]))
    return f"{rows(count)} ({named}{', ...' if count > NAMED else ''})"


def rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
