#!/bin/sh
# builds every bundle again, one after the other
cd "$(dirname "$0")" && rm -f ../expected.json
for f in *.py; do case $f in common.py|review.py|check.py) ;; *) python3 "$f" || echo "FAIL $f";; esac; done
