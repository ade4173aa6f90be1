"""`edgecam doctor`: what keeps edgecam from working here, and what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

NAME = "doctor"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(NAME, help="check this machine: libraries, display, cameras, power, heat")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints each finding; returns 1 when there is a problem, else 0."""
    from edgecam.doctor.examination import as_json, as_text, examine, summary
    from edgecam.doctor.finding import Verdict
    from edgecam.versions import version_lines

    if args.json:
        findings = examine()
        print(as_json(findings))
    else:
        print("\n".join(version_lines()), end="\n\n")
        findings = examine(lambda finding: print(as_text(finding), flush=True))
        print(f"\n{summary(findings)}")
    return int(any(finding.verdict is Verdict.PROBLEM for finding in findings))
