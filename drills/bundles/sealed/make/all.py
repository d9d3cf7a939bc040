import glob, os, runpy, sys
here = os.path.dirname(os.path.abspath(__file__)); sys.path.insert(0, here)
ep = os.path.join(os.path.dirname(here), "expected.json")
if os.path.exists(ep): os.remove(ep)
for f in sorted(glob.glob(os.path.join(here, "*.py"))):
    if os.path.basename(f) not in ("common.py", "all.py", "look.py", "check.py"): runpy.run_path(f)
