"""What `mpa init` writes."""

AGENT_TOML = """# What the agent looks after, and what it may do. docs/your-service.md leads through it, `mpa doctor` checks it.
# Every key is here; what is commented out shows its default, or an example where there is none.

[[target]]                                 # once for every target
name = "my-service"
url = "http://127.0.0.1:8000"              # where it answers
repository = "my-service.git"              # a bare git repository; relative to this file
branch = "main"
lock = "requirements.txt"                  # a lock with hashes: the sandbox's environment is built from it, once
serve = ["{python}", "-m", "uvicorn", "my_service.main:app", "--host", "{host}", "--port", "{port}"]
test = ["{python}", "-m", "pytest", "-q"]
source = "src"                             # the folder of its own code; frames outside are not its own
tests = "tests"                            # where the regression test goes
env = { PYTHONPATH = "src" }               # for serve and test
# The only names that a recorded request may set when it is replayed, and what speeds up a soak:
replay_env = []
soak_env = {}
# log_env = "LOG_FILE"                     # the variable that tells the service where to write its request log
# log_file = "service.log"                 # where the running service writes it
# supervisor = "supervisor.sock"           # with release_root: how it is deployed, see docs/supervised-target.md
# release_root = "releases-root"
# settings_file = "service.env"            # NAME=value lines read at its start: a change is seen, and can be taken back
# health_path = "/health"
# status_path = "/status"
# metrics_path = "/metrics"
# matchers = { service = "my-service" }    # labels of alerts that belong to it; without: its name in target, service, job
# component_labels = ["component", "service", "job"]   # the first one that an alert has names the component
# protected = ["migrations"]               # paths that no patch may touch, besides those that none ever may

# [target.metrics]                         # where yours have other names
# requests = "http_requests_total"
# status_labels = ["status", "code", "status_code", "http_status"]
# route_labels = ["route", "handler", "path", "endpoint"]
# latency = "http_request_duration_seconds"
# mae_ratio = "prediction_mae_ratio"
# data_age = "data_age_seconds"
# memory = "process_resident_memory_bytes"
# started = "process_start_time_seconds"
# build = "build_info"

# [[target.action]]                        # calls on its own address that stop harm; docs/plan.md
# kind = "quarantine"                      # quarantine, release, retrain or promote
# method = "POST"
# path = "/quarantine"
# body = '{"reason": "{reason}", "seconds": {seconds}}'
# answers = ""                             # the field of the answer that names what was made
# seconds = 3600
# timeout = 120

[policy]
autonomy = "approve"                       # observe, diagnose, propose, approve; autonomous acts as approve for now
approval_expiry_hours = 24                 # an unanswered question counts as no after that
# drafts = false                           # no effect yet: the local forge's drafts stay inside

# [limits]                                 # of one sandboxed run
# wall_seconds = 60
# cpu_seconds = 120
# memory_mib = 1536
# processes = 128
# file_mib = 128
# open_files = 512
# output_mib = 4
# environments = ".mpa/environments"       # where built environments are kept; relative to where the agent is started

# [monitoring]                             # the built-in monitor; seconds between looks: MONITORING_INTERVAL in .env
# start = true                             # false: it watches when told to (`mpa control monitoring on`)
# raises = true                            # false: Alertmanager raises the alerts, the monitor only measures
# least_requests = 20                      # fewer than these in a window raise no alert about errors or latency

# [monitoring.limits]                      # above these an alert is raised
# error_ratio = 0.05
# latency_p95 = 0.25
# mae_ratio = 1.0
# data_age = 21600
# memory_growth = 1.5

[verification]                             # how long production is watched before a fix counts
window_seconds = 20
min_requests = 50
# min_failing_kind = 3                     # of the kind that failed
# settle_seconds = 3
# max_wait_seconds = 180

# [llm]                                    # how the model of LLM_MODEL (.env) is asked; docs/models.md
# fallbacks = ["openai:gpt-4o-mini"]       # asked in this order when it fails
# call_seconds = 45
# output_tokens = 4000                     # the longest answer
# retries = 2                              # of a call that failed and may pass; none for a wrong key or an empty account
# retry_pause = 1.0                        # seconds, doubled each time
# stream = false

# [llm.incident]                           # the most that one incident may take, and below all of a day (UTC)
# calls = 20
# tokens = 200000
# money = 1.0                              # US dollars; needs a price
# seconds = 180

# [llm.day]
# calls = 400
# tokens = 4000000
# money = 20.0
# seconds = 3600

# [llm.prices."my-model"]                  # US dollars per million tokens, where the list has none or another
# input = 0.5
# output = 1.5
# cached = 0.1

# [[llm.mcp]]                              # an MCP server as one more source; only tools marked read-only are taken
# name = "tickets"
# url = "http://127.0.0.1:9000/mcp"        # or command = ["my-mcp-server", "--stdio"]
# tools = []                               # tools to take although they are not marked

# [web]
# hosts = []                               # names besides localhost under which a browser may open the dashboard
"""
