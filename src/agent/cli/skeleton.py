"""What `mpa init` writes."""

AGENT_TOML = """# What the agent looks after, and what it may do. `mpa doctor` checks this file.

[[target]]
name = "my-service"
url = "http://127.0.0.1:8000"              # where it answers
repository = "my-service.git"              # a bare git repository; relative to this file
branch = "main"
lock = "requirements.txt"                  # a lock with hashes: the sandbox's environment is built from it, once
serve = ["{python}", "-m", "uvicorn", "my_service.main:app", "--host", "{host}", "--port", "{port}"]
test = ["{python}", "-m", "pytest", "-q"]
env = { PYTHONPATH = "src" }
# The only names that a recorded request may set when it is replayed, and what speeds up a soak:
replay_env = []
soak_env = {}
# log_env = "LOG_FILE"                     # the variable that says where the service writes its JSON log
# log_file = "service.log"                 # where that log is
# supervisor = "supervisor.sock"           # see docs/supervised-target.md
# release_root = "releases-root"
# metrics = { requests = "http_requests_total", mae_ratio = "prediction_mae_ratio" }  # where yours have other names
# matchers = { service = "my-service" }    # labels of alerts that belong to this target

[policy]
autonomy = "approve"                       # observe, diagnose, propose, approve; autonomous acts as approve for now
approval_expiry_hours = 24

# [limits]                                 # of one sandboxed run
# wall_seconds = 60
# memory_mib = 1536

# [monitoring]
# raises = true                            # false: Alertmanager raises the alerts, the monitor only measures

[verification]
window_seconds = 20
min_requests = 50
"""
