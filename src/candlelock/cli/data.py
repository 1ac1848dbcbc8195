"""`candlelock data …`: versions of the snapshot, what differs between them, and proofs of single candles."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from candlelock.cli import data_text, output
from candlelock.cli.output import HERE, Json, Root
from candlelock.contracts.errors import EXIT_CHECK_FAILED, InputError, Problem

if TYPE_CHECKING:
    from candlelock.contracts.version_documents import Author

app = typer.Typer(help="Store, list, compare and verify snapshot versions; prove candles.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="The start of a version's id, or a snapshot folder.")]
Cards = Annotated[list[Path] | None, typer.Option("--card", help="A model_card.json; may be given again.")]


@app.command()
def create(
    folder: Annotated[Path | None, typer.Argument(help="A snapshot folder; data/snapshot when left out.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Words to keep with the version.")] = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Verify a snapshot and store it as a version under its id. The same candles are one version."""
    from datetime import UTC, datetime

    from candlelock.contracts import files
    from candlelock.snapshot import versions

    stored_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    source = folder or root / files.SNAPSHOT
    manifest, record, is_new = versions.store(source, root / files.VERSIONS, _author(root), stored_at, note)
    if as_json:
        output.print_json({"is_new": is_new, **data_text.version_json(manifest, record)})
        return
    said = "stored" if is_new else f"there already, stored at {record.stored_at_utc}"
    typer.echo(f"{said}: {root / files.VERSIONS / manifest.snapshot_id}")


@app.command(name="list")
def list_versions(root: Root = HERE, as_json: Json = False) -> None:
    """List the stored versions, the newest last. Nothing is rehashed."""
    from candlelock.contracts import files
    from candlelock.snapshot import versions

    found = versions.read_all(root / files.VERSIONS)
    if as_json:
        output.print_json([data_text.version_json(*each) for each in found])
    elif not found:
        typer.echo("no version is stored; `candlelock data create` stores data/snapshot")
    else:
        data_text.print_list(found)


@app.command()
def show(version: Id, root: Root = HERE, as_json: Json = False) -> None:
    """Show all of a version: source, author, and of each symbol span, columns, hashes and gaps."""
    from candlelock.contracts import files
    from candlelock.snapshot import versions

    folder = versions.find(root / files.VERSIONS, version)
    manifest, record = versions.read(folder)
    if as_json:
        output.print_json(data_text.version_json(manifest, record))
    else:
        data_text.print_version(folder, manifest, record)


@app.command()
def diff(before: Id, after: Id, cards: Cards = None, root: Root = HERE, as_json: Json = False) -> None:
    """Name every added, removed and revised candle, and the models that were trained on the older version."""
    from candlelock.audit import lineage
    from candlelock.contracts import files
    from candlelock.snapshot import candles, versions
    from candlelock.snapshot.difference import compare_snapshots

    old, new = (versions.find(root / files.VERSIONS, each) for each in (before, after))
    found = compare_snapshots(candles.read_exact(old), candles.read_exact(new))
    uses = [use for use in lineage.read_cards(_cards(cards, root)) if use.snapshot_id == found.before]
    revisions = lineage.revisions_with(old, root)
    if as_json:
        document = found.model_dump(mode="json") | {"cards": data_text.uses_json(uses), "revisions": revisions}
        output.print_json(document)
    else:
        data_text.print_difference(found)
        data_text.print_users(found.before, uses, revisions)


@app.command()
def verify(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids or snapshot folders; every version if none.")] = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Hash files, rows and ids of stored versions again; exit code 1 with each fault named."""
    from candlelock.contracts import files
    from candlelock.snapshot import versions
    from candlelock.terminal import progress

    shelf = root / files.VERSIONS
    folders = [versions.find(shelf, each) for each in ids or []] or [shelf / each for each in versions.ids(shelf)]
    faults: dict[Path, list[Problem]] = {}
    with progress.showing("versions", "versions") as done:
        for folder in folders:
            faults[folder] = versions.faults(folder)
            done(len(faults), len(folders))
    if as_json:
        rows = [
            {"folder": str(folder), "is_sound": not its, "problems": [problem.as_dict() for problem in its]}
            for folder, its in faults.items()
        ]
        output.print_json(rows)
    elif not faults:
        typer.echo("no version is stored; `candlelock data create` stores data/snapshot")
    else:
        for folder, its in faults.items():
            typer.echo("\n".join([f"{'FAILED' if its else 'ok    '}  {folder}", *map(str, its)]))
    if any(faults.values()):
        raise typer.Exit(EXIT_CHECK_FAILED)


@app.command()
def quality(
    version: Annotated[
        str | None, typer.Argument(help="The start of a version's id, or a snapshot folder; data/snapshot if left out.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report as a page to this file.")] = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show what a snapshot's candles lack, repeat or overdo, by the limits of params.yaml."""
    from candlelock.artifacts import atomic
    from candlelock.artifacts.user_files import read_params
    from candlelock.contracts import files
    from candlelock.snapshot import candles, quality_page, versions
    from candlelock.snapshot.quality import report

    folder = versions.find(root / files.VERSIONS, version) if version else root / files.SNAPSHOT
    manifest, tables = candles.read_exact(folder)
    found = report(tables, manifest, read_params(root).snapshot.quality)
    if html:
        atomic.write_bytes(html, quality_page.render(found).encode())
    if as_json:
        output.print_json(found.model_dump(mode="json"))
    else:
        data_text.print_quality(found)


@app.command()
def prove(
    symbol: Annotated[str, typer.Argument(help="BASE/QUOTE.")],
    time: Annotated[str, typer.Argument(help="When the bar opens, in UTC: 2018-03-01T00:00Z.")],
    within: Annotated[
        str | None, typer.Option("--in", help="A version's id or a snapshot folder; data/snapshot if left out.")
    ] = None,
    cards: Cards = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the proof to this file.")] = None,
    root: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show a candle and the proof that it belongs to its snapshot, and whether a Model Card names that snapshot."""
    from candlelock.artifacts import documents
    from candlelock.audit import lineage
    from candlelock.contracts import files
    from candlelock.contracts.version_documents import CandleProof
    from candlelock.snapshot import candles, proof, versions

    folder = versions.find(root / files.VERSIONS, within) if within else root / files.SNAPSHOT
    manifest, tables = candles.read_exact(folder)
    found = proof.prove(manifest, tables, symbol, _time_ms(time))
    uses = lineage.read_cards(_cards(cards, root))
    if not isinstance(found, CandleProof):
        if as_json:
            output.print_json({"gap": found.model_dump(mode="json")})
        else:
            data_text.print_gap(symbol, found)
        raise typer.Exit(EXIT_CHECK_FAILED)
    if out:
        documents.write(out, found)
    if as_json:
        output.print_json({"proof": found.model_dump(mode="json"), "cards": data_text.uses_json(uses)})
    else:
        data_text.print_proof(found, uses)


@app.command(name="check-proof")
def check_proof(
    file: Annotated[Path, typer.Argument(help="What `data prove --out` wrote.")],
    cards: Cards = None,
    as_json: Json = False,
) -> None:
    """Check a candle's proof without the snapshot; exit code 1 when it does not hold or a card names another one."""
    from candlelock.artifacts import documents
    from candlelock.audit import lineage
    from candlelock.contracts.version_documents import CandleProof
    from candlelock.snapshot import proof

    given = documents.read(file, CandleProof)
    faults = proof.faults(given)
    uses = lineage.read_cards(cards or [])
    is_valid = not faults and all(use.snapshot_id == given.snapshot_id and use.is_intact for use in uses)
    if as_json:
        problems = [fault.as_dict() for fault in faults]
        output.print_json({"is_valid": is_valid, "problems": problems, "cards": data_text.uses_json(uses)})
    else:
        data_text.print_check(given, faults, uses)
    if not is_valid:
        raise typer.Exit(EXIT_CHECK_FAILED)


def _cards(given: list[Path] | None, root: Path) -> list[Path]:
    from candlelock.audit.lineage import CARDS

    return given or sorted(root.glob(CARDS))


def _time_ms(text: str) -> int:
    from candlelock.contracts.documents import utc_ms, utc_text

    try:
        time_ms = utc_ms(text)
        utc_text(time_ms)
    except (ValueError, OverflowError):
        expected, help_line = "a time in UTC", "write it as 2018-03-01T00:00Z"
        raise InputError(Problem("proof-time", "TIME", repr(text), expected, help_line)) from None
    return time_ms


def _author(root: Path) -> Author:
    """git's user, else the login name."""
    from candlelock.contracts.version_documents import Author

    name, email = _git_setting(root, "user.name"), _git_setting(root, "user.email")
    return Author(name=name or _login(), email=email or None)


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"


def _git_setting(root: Path, key: str) -> str:
    try:
        answer = subprocess.run(["git", "config", key], cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.strip()
