"""Execute notebooks: outputs are written back, unless --check is given, and an error ends it."""

import sys

import nbformat
from nbclient import NotebookClient

check = "--check" in sys.argv
for name in [a for a in sys.argv[1:] if a != "--check"]:
    notebook = nbformat.read(name, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times
    if not check:
        nbformat.write(notebook, name)
    print(name, "executed")
