"""What the words of tables and figures mean."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any

from deeplimit._pipe import call


class Entry(dict[str, Any]):
    """One term: ``meaning``, ``formula``, ``range``, ``read`` (how to read a value), ``also`` (other words)."""

    def __str__(self) -> str:
        lines = [self["term"], "  " + self["meaning"]]
        lines += [f"  {key:8} {self[key]}" for key in ("formula", "range", "read") if self[key]]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = ((key, self[key]) for key in ("meaning", "formula", "range", "read") if self[key])
        cells = "".join(f"<tr><th>{key}</th><td>{html.escape(text)}</td></tr>" for key, text in rows)
        return f"<table><caption>{html.escape(self['term'])}</caption>{cells}</table>"


class Glossary(Mapping[str, Entry]):
    """Entries by term: a key of JSON, a column of a table, or a word of a figure.

    >>> import deeplimit
    >>> deeplimit.glossary["max_frobenius"]["term"]
    'max_frobenius'
    """

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._words: dict[str, Entry] = {}

    def _read(self) -> dict[str, Entry]:
        if not self._entries:
            listed, _ = call("glossary", {})
            for e in listed:
                entry = Entry(e, also=e["also"] or [])
                self._entries[entry["term"]] = entry
            for entry in self._entries.values():
                for word in (entry["term"], *entry["also"]):
                    self._words.setdefault(_fold(word), entry)
        return self._entries

    def __getitem__(self, term: str) -> Entry:
        self._read()
        try:
            return self._words[_fold(term)]
        except KeyError:
            near = [t for t in self._entries if _fold(term) in _fold(t)][:8]
            hint = f", want a term such as {', '.join(near)}" if near else ""
            raise KeyError(f"glossary: got {term!r}{hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return f"Glossary: {len(self)} terms; glossary['variation_index'] explains one"


def _fold(word: str) -> str:
    return word.casefold().replace("_", " ").replace("-", " ").strip()


glossary = Glossary()
