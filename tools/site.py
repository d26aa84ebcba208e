"""Build the site from the Markdown that is there: `make site`.

python tools/site.py [--out build/site]

Pages keep their places in docs/; those of other folders get one by PAGES. A link between two of them leads from page to
page, one to any other file of the project to a copy of it, and one to nothing ends the build.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path, PurePosixPath

TOP = Path(__file__).parents[1]
PAGES = {
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
_STANDS_FOR = {"README.md": "index.md", "changes/README.md": "changes.md"}
_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s]+)\)")
_WHOLE = re.compile(r"https?://[\w.-]+\.[a-z]+(/\S*)?$|mailto:\S+@\S+$")
_OUTSIDE = re.compile(r"^[a-z][a-z0-9+.-]*:")


def pages(top: Path = TOP) -> dict[str, str]:
    """Return the file of each page and its place on the site, both with slashes."""
    found = {path.relative_to(top).as_posix() for path in (top / "docs").rglob("*.md")}
    placed = {name: name.removeprefix("docs/") for name in sorted(found)}
    for path in sorted((top / "plugins").glob("*/README.md")):
        placed[path.relative_to(top).as_posix()] = f"extensions/{path.parent.name}.md"
    return placed | PAGES


def assemble(into: Path, top: Path = TOP) -> None:
    """Write every page at its place, and beside them the files that they show or link to."""
    placed = pages(top)
    for name, place in placed.items():
        text = "".join(_relinked(name, place, placed, into, top))
        target = into / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    if (decisions := into / "decisions").is_dir():
        with open(into / "design.md", "a", encoding="utf-8") as design:
            design.write("\n```{toctree}\n:hidden:\n:glob:\n\n" + f"{decisions.name}/*\n```\n")
    shutil.copy(top / "docs" / "site" / "conf.py", into)
    (into / "static").mkdir()
    shutil.copy(top / "docs" / "site" / "zoo.css", into / "static")


def _relinked(name: str, place: str, placed: dict[str, str], into: Path, top: Path) -> list[str]:
    """Return a page's parts with links that hold where it will lie; code is left as it is."""

    def link(match: re.Match[str]) -> str:
        label, address = match.groups()
        path, hash_, anchor = address.partition("#")
        if _OUTSIDE.match(address) and not _WHOLE.match(address):
            raise SystemExit(f"{name}: {address} is no whole address")
        if not path or _OUTSIDE.match(address):
            return match.group()
        target = os.path.normpath(PurePosixPath(name).parent / path)
        if not (top / target).is_file():
            raise SystemExit(f"{name}: a link to {address}, where nothing is")
        where = placed.get(target) or _STANDS_FOR.get(target)
        if where is None:
            where = target.removeprefix("docs/") if target.startswith("docs/") else f"files/{target}"
            (into / where).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(top / target, into / where)
        return f"{label}({os.path.relpath(where, PurePosixPath(place).parent)}{hash_}{anchor})"

    parts = re.split(r"(^```.*?^```|`[^`\n]+`(?!\]))", (top / name).read_text(encoding="utf-8"), flags=re.S | re.M)
    return [part if part.startswith("`") else _LINK.sub(link, part) for part in parts]


def write_overview(source: Path, out: Path) -> None:
    """Write llms.txt (llmstxt.org): every page by title and first sentence, with the address of its Markdown."""
    index = (source / "index.md").read_text(encoding="utf-8")
    lines = ["# Zoo", "", f"> {_first_paragraph(index)}", ""]
    for toctree in re.findall(r"```\{toctree\}\n(.*?)```", index, re.S):
        options, listing = toctree.split("\n\n")
        caption = options.partition(":caption: ")[2]
        found = [path for entry in listing.split() for path in sorted(source.glob(f"{entry}.md"))]
        lines += [f"## {caption}", ""]
        for path in found:
            text, entry = path.read_text(encoding="utf-8"), path.relative_to(source).as_posix()
            title = re.search(r"^# (.*)$", text, re.M)
            assert title is not None, f"{entry} has a title"
            lines.append(f"- [{title[1]}](_sources/{entry}.txt): {_first_paragraph(text)}")
        lines.append("")
    (out / "llms.txt").write_text("\n".join(lines), encoding="utf-8")


def _first_paragraph(text: str) -> str:
    for paragraph in re.split(r"\n\s*\n", text):
        if re.match(r"[\w`“(\[]", paragraph) and not paragraph.startswith("    "):
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
            return re.split(r"(?<=[.。])(?:\s|$)|:$", plain)[0]
    return ""


def build(out: Path) -> int:
    """Build all pages; any warning is an error."""
    from sphinx.cmd.build import main as sphinx

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.mkdir()
        assemble(source)
        shutil.rmtree(out, ignore_errors=True)
        failed = sphinx(["-W", "-n", "-q", "--keep-going", "-d", f"{folder}/doctrees", str(source), str(out)])
        if not failed:
            write_overview(source, out)
            (out / ".nojekyll").touch()
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the site.")
    parser.add_argument("--out", type=Path, default=TOP / "build" / "site")
    out = parser.parse_args().out
    start = time.perf_counter()
    if failed := build(out):
        sys.exit(failed)
    print(f"{out}/index.html: {len(list(out.rglob('*.html')))} pages in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
