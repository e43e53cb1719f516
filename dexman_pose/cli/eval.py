"""``dexman-pose eval``: predictions for a dataset, and anyone's predictions scored."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dexman_pose.cli.evals import plan, policy
from dexman_pose.errors import InputError

if TYPE_CHECKING:
    from dexman_pose.evaluation.protocol import Protocol
    from dexman_pose.evaluation.results import Results
    from dexman_pose.evaluation.sources import Source


def add(subparsers: Any) -> None:
    """Add the command to the parser."""
    p: argparse.ArgumentParser = subparsers.add_parser(
        "eval",
        help="score pose predictions on a dataset",
        description="Score pose predictions on a dataset: TACO, BOP, DexYCB, HO3D, OakInk2.",
    )
    actions = p.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_predict(actions)
    _add_score(actions)
    plan.add(actions)
    policy.add(actions)
    listed = actions.add_parser("protocols", help="the protocols there are")
    listed.set_defaults(handler=handle_protocols)


def _add_predict(actions: Any) -> None:
    p = actions.add_parser("predict", help="run the default pipeline on every sequence")
    _common(p)
    p.add_argument("--out", required=True, metavar="DIR", help="folder of predictions; what is there is kept")
    p.set_defaults(handler=handle_predict)


def _add_score(actions: Any) -> None:
    p = actions.add_parser("score", help="score predictions and write a report")
    _common(p)
    p.add_argument(
        "--predictions",
        required=True,
        metavar="PATH",
        help="folder with a trajectory for each sequence (as `eval predict` makes it), BOP results (.csv), "
        "folders with a pose per frame, or `truth`",
    )
    p.add_argument("--out", required=True, metavar="DIR", help="folder of scores and report")
    p.add_argument("--csv", metavar="FILE", help="also write the predictions as BOP results")
    p.add_argument("--no-pictures", action="store_true", help="draw no overlays of the worst frames")
    p.set_defaults(handler=handle_score)


def _common(p: argparse.ArgumentParser) -> None:
    p.add_argument("--protocol", required=True, metavar="NAME", help="a protocol's name, or a YAML file")
    p.add_argument("--root", required=True, metavar="DIR", help="the dataset's folder")
    p.add_argument("--split", metavar="NAME", help="a split of the dataset, in place of the protocol's")
    p.add_argument(
        "--view", metavar="NAME", help="a camera, in place of the protocol's: first_fixed, all, ..."
    )
    p.add_argument("--sequences", metavar="A,B", help="some sequences (default: all)")
    p.add_argument("--limit", type=int, metavar="N", help="only the first N sequences")
    p.add_argument("--workers", type=int, default=1, metavar="N", help="processes side by side (default: 1)")


def handle_protocols(args: argparse.Namespace) -> int:
    """Print the protocols."""
    from dexman_pose.evaluation.protocol import load_protocol, protocol_names

    for name in protocol_names():
        print(f"{name:<14} {load_protocol(name).title}")
    return 0


def handle_predict(args: argparse.Namespace) -> int:
    """Run the pipeline on the dataset; failures are listed, and the status says whether all is done."""
    from dexman_pose.evaluation.predicting import Outcome
    from dexman_pose.evaluation.runner import predict

    protocol, source = _opened(args)

    def said(outcome: Outcome) -> None:
        print(f"{outcome.key}: {outcome.error or 'done'}", flush=True)

    outcomes = predict(
        source, protocol, args.out, sequences=_sequences(args, source), workers=args.workers, on_done=said
    )
    failed = sum(bool(o.error) for o in outcomes)
    print(f"{len(outcomes) - failed} recordings predicted, {failed} failed; in {args.out}")
    if failed and failed == len(outcomes):
        raise InputError(f"no recording could be predicted; the first: {outcomes[0].error}")
    return 0


def handle_score(args: argparse.Namespace) -> int:
    """Score, write the report, print the summary."""
    from dexman_pose.evaluation.runner import score
    from dexman_pose.evaluation.tables import console_text

    protocol, source = _opened(args)
    chosen = _sequences(args, source)
    results = score(source, protocol, args.predictions, args.out, sequences=chosen, workers=args.workers)
    if args.csv:
        _write_csv(args, source, protocol, chosen)
    files = _report(args, source, results)
    print(console_text(results))
    for name, path in files.items():
        print(f"{name}: {path}")
    return 0


def _opened(args: argparse.Namespace) -> tuple[Protocol, Source]:
    from dexman_pose.evaluation.protocol import load_protocol
    from dexman_pose.evaluation.sources import Source

    asked = {key: getattr(args, key) for key in ("split", "view") if getattr(args, key) is not None}
    protocol = replace(load_protocol(args.protocol), **asked)
    if args.workers < 1:
        raise InputError(f"--workers must be at least 1, but is {args.workers}")
    return protocol, Source(
        protocol.dataset, Path(args.root), protocol.view, protocol.split, protocol.targets
    )


def _sequences(args: argparse.Namespace, source: Source) -> list[str] | None:
    chosen = args.sequences.split(",") if args.sequences else None
    if args.limit is None:
        return chosen
    if args.limit < 1:
        raise InputError(f"--limit must be at least 1, but is {args.limit}")
    return (chosen or source.sequences())[: args.limit]


def _write_csv(
    args: argparse.Namespace, source: Source, protocol: Protocol, chosen: list[str] | None
) -> None:
    from dexman_pose.datasets.bop.results import BopEstimate, write_bop_results
    from dexman_pose.evaluation.predictions import load_prediction, to_bop

    rows: list[BopEstimate] = []
    for name in chosen or source.sequences():
        for recording in source.read(name, lambda problem: None):
            prediction = load_prediction(args.predictions, recording)
            if prediction is not None:
                rows += to_bop(recording, prediction)
    write_bop_results(Path(args.csv), rows)


def _report(args: argparse.Namespace, source: Source, results: Results) -> dict[str, Path]:
    from dexman_pose.evaluation.pictures import frames_for
    from dexman_pose.evaluation.protocol import protocol_folder
    from dexman_pose.evaluation.report.overlays import worst_pictures
    from dexman_pose.evaluation.report.page import write_score_report

    pictures = None
    if not args.no_pictures:
        pictures = worst_pictures(results, frames_for(source, args.predictions))
    published = protocol_folder().parent / "published" / "dexman_taco.yaml"
    return write_score_report(
        results,
        Path(args.out),
        published=published if source.dataset == "taco" and published.is_file() else None,
        pictures=pictures,
    )
