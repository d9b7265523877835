# SPDX-License-Identifier: MIT
# Copyright (c) the danemap authors
"""Tries the examples for administrators: a real Postfix with the very lines of
the documents, mail to the signed tree, and the log that the documents promise.

    examples TREE [DOCUMENT...]
"""

import os
import subprocess
import sys
import tempfile
import traceback

from e2e import tap
from tree import tree

from . import document, site, tried


def try_example(report, host, name):
    doc = document.Document(name)
    for test in tried.ALL[name]:
        problem = None
        try:
            test(host, doc)
        except Exception:  # pylint: disable=broad-except
            problem = traceback.format_exc()
        report.add("%s.md: %s" % (name, test.__doc__), problem)
    report.add("%s.md: nothing in it is left untried" % name,
               "\n".join(doc.untried()) or None)
    report.add("%s.md: what is only shown is a shell's language" % name,
               "".join(map(fault_of_shell, doc.shown_only())) or None)


def fault_of_shell(text):
    return subprocess.run(["sh", "-n"], input=text, text=True, check=False,
                          stderr=subprocess.PIPE).stderr


def missing_links():
    """Examples that a front page does not name."""
    pages = (document.FOLDER / "README.md").read_text(), \
        (document.FOLDER.parent / "README.md").read_text()
    written = {path.stem for path in document.FOLDER.glob("*.md")}
    lost = (written - {"README"}) ^ set(tried.ALL)
    return "\n".join([name for name in sorted(written - {"README"})
                      if not all(name + ".md" in page for page in pages)] +
                     sorted(lost)) or None


def main():
    report = tap.Report()
    with tempfile.TemporaryDirectory(prefix="dm") as folder, \
            tree.Servers(sys.argv[1]):
        os.chmod(folder, 0o755)
        with site.Site(folder, sys.argv[1]) as host:
            for name in sys.argv[2:] or tried.ALL:
                try_example(report, host, name)
    report.add("every example is tried, and linked from the front pages",
               missing_links())
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
