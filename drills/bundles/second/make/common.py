"""Small library for the generators: time axis, series, log chatter, spans, changes, writing and zipping."""
import csv, hashlib, io, json, os, random, re, zipfile
from datetime import datetime, timedelta, timezone
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def diff(path, hunk):
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n" + hunk.strip("\n") + "\n"


CHAT = {
 "nginx": [("INFO", '{ip} "GET /v1/{word}/{id} HTTP/1.1" 200 {kb} rt={sec}'), ("INFO", '{ip} "POST /v1/{word} HTTP/1.1" 201 {n} rt={sec}'),
           ("INFO", '{ip} "GET /healthz HTTP/1.1" 200 2 rt=0.001'), ("WARN", "upstream response is buffered to a temporary file while reading upstream, client: {ip}")],
 "spring": [("INFO", "Completed {word} request id={uuid} in {ms} ms"), ("INFO", "Started handling message offset={id} partition={d}"), ("DEBUG", "Cache hit ratio {pct}% for region {word}"),
            ("INFO", "Refreshed {n} {word} entries"), ("WARN", "Request {uuid} took {ms} ms, soft limit 400 ms"), ("INFO", "GC pause (G1 Evacuation) {d}ms")],
 "django": [("INFO", '"GET /api/{word}/{id}/ HTTP/1.1" 200 {n}'), ("INFO", '"POST /api/{word}/ HTTP/1.1" 201 {n}'), ("WARNING", "Not Found: /api/{word}/{id}/"), ("INFO", "session {hex} refreshed"), ("WARNING", "Unauthorized: /api/me/")],
 "celery": [("INFO", "Task shop.tasks.{word}[{uuid}] received"), ("INFO", "Task shop.tasks.{word}[{uuid}] succeeded in {sec}s: None"), ("WARNING", "Task shop.tasks.{word}[{uuid}] retry: Retry in {d}s"), ("INFO", "sync with celery@worker-{d}")],
 "go": [("info", "finished unary call with code OK grpc.method={Word} grpc.time_ms={ms}"), ("info", "handled {word} id={id} dur={ms}ms"), ("debug", "pool stats idle={d} open={d}"), ("warn", "client cancelled request grpc.method={Word}"), ("info", "reconciled {n} items")],
 "node": [("info", "GET /bff/{word}/{id} 200 {ms}ms"), ("info", "POST /bff/{word} 200 {ms}ms"), ("warn", "deprecated header x-client-ver from {ip}"), ("debug", "dataloader batch size={d}"), ("info", "session renewed user={id}")],
 "dotnet": [("Information", "Request finished HTTP/1.1 GET /api/{word}/{id} - 200 {ms}ms"), ("Information", "Executed DbCommand ({d}ms) [Parameters=[@p0='?'], CommandType='Text', CommandTimeout='30']"), ("Warning", "The query uses a row limiting operator without OrderBy"), ("Information", "Published {Word}Event {uuid}")],
 "laravel": [("info", "{word}.index served user={id} in {ms}ms"), ("info", "Processing: App\\Jobs\\{Word}Job"), ("info", "Processed:  App\\Jobs\\{Word}Job"), ("warning", "CSRF token mismatch for {ip}"), ("notice", "cart {hex} restored from session")],
 "elixir": [("info", "GET /rooms/{id} Sent 200 in {ms}ms"), ("info", "JOINED room:{id} in {d}ms"), ("debug", "presence diff joins={d} leaves={d}"), ("info", "CONNECTED TO ChatWeb.UserSocket in {d}ms Transport: :websocket"), ("warning", "push notification token invalid user={id}")],
 "rust": [("INFO", "proxied {word} upstream={ip}:8080 status=200 elapsed_ms={ms}"), ("INFO", "tls handshake complete peer={ip} proto=h2"), ("DEBUG", "connection recycled idle_s={d}"), ("WARN", "client closed before response peer={ip}")],
 "k8s": [("Normal", "Successfully assigned prod/{word}-{hex} to node-{d}"), ("Normal", "Pulled image already present on machine"), ("Normal", "Readiness probe ok {word}-{hex}"), ("Warning", "Readiness probe failed: {word}-{hex}: Get http://{ip}:8080/healthz: context deadline exceeded"), ("Normal", "Scaled deployment {word} to {d}")],
 "airflow": [("INFO", "Marking task as SUCCESS. dag_id={word}_hourly task_id=load"), ("INFO", "Executing <Task(SparkSubmitOperator): {word}>"), ("INFO", "Dependencies all met for {word}_hourly.extract"), ("WARNING", "DAG {word}_daily import took {sec}s"), ("INFO", "Sensor poke {word}_landing")],
 "spark": [("INFO", "TaskSetManager: Finished task {d}.0 in stage {d}.0 (TID {id}) in {ms} ms on {ip}"), ("INFO", "BlockManagerInfo: Added broadcast_{d}_piece0 in memory on {ip}"), ("WARN", "TaskSetManager: Lost task {d}.0 in stage {d}.0: ExecutorLostFailure (preempted)"), ("INFO", "FileOutputCommitter: Saved output of task attempt_{id}")],
 "postgres": [("LOG", "checkpoint complete: wrote {n} buffers; write={sec} s"), ("LOG", "automatic vacuum of table \"app.public.{word}\": index scans: 1"), ("LOG", "connection authorized: user=app database=app"), ("LOG", "duration: {ms} ms  statement: SELECT * FROM {word} WHERE id = $1")],
 "mssql": [("Information", "Login succeeded for user 'svc_app'. [CLIENT: {ip}]"), ("Information", "Log was backed up. Database: Trade, first LSN: {id}:{n}:1"), ("Information", "CHECKPOINT wrote {n} pages")],
 "cassandra": [("INFO", "Writing Memtable-{word}@{id}({kb}KiB serialized bytes)"), ("INFO", "Compacted ({uuid}) {d} sstables to [/data/{word}] {kb}MiB"), ("INFO", "G1 Young Generation GC in {ms}ms."), ("WARN", "Batch for [{word}] is of size {kb}, exceeding specified threshold")],
 "rabbitmq": [("info", "accepting AMQP connection <0.{id}.0> ({ip}:{n} -> {ip}:5672)"), ("info", "closing AMQP connection <0.{id}.0>"), ("warning", "closing AMQP connection <0.{id}.0> ({ip}): client unexpectedly closed TCP connection")],
 "minio": [("INFO", "PUT /{word}/{hex} 200 {ms}ms"), ("INFO", "GET /{word}/{hex} 200 {ms}ms"), ("INFO", "healing scan cycle {n} done"), ("WARN", "client {ip} sent unsupported checksum header")],
 "clickhouse": [("Debug", "executeQuery: (from {ip}) SELECT count() FROM {word}_events WHERE d = today()"), ("Debug", "MergerMutator: Merged {d} parts: {hex}"), ("Information", "MemoryTracker: Peak memory usage (for query): {kb} MiB"), ("Information", "executeQuery: Read {id} rows in {sec} sec.")],
 "redis": [("notice", "{n} changes in 300 seconds. Saving..."), ("notice", "Background saving terminated with success"), ("notice", "DB saved on disk")],
 "ml": [("INFO", "scored batch size={d} model=v{d} in {ms} ms"), ("INFO", "feature fetch {word} n={n} {ms} ms"), ("WARNING", "feature {word}_7d missing for entity {id}, default used"), ("INFO", "shadow comparison agreement={pct}%")],
 "mobile": [("info", "GET /m/v3/{word} 200 {ms}ms app=ios/8.{d}.0"), ("info", "GET /m/v3/{word} 200 {ms}ms app=android/8.{d}.1"), ("info", "flag eval ctx={hex} n={d}"), ("warn", "unsupported locale from app=android/7.{d}.0"), ("info", "POST /m/v3/{word} 202 {ms}ms app=ios/8.{d}.0")],
}
WORDS = "orders invoices catalog customers shipments quotes sessions profiles events baskets ratings routes depots refunds tariffs stock alerts payouts".split()


class Bundle:
    def __init__(self, name, seed, start, hours, step, target, words=None):
        self.name, self.step, self.target = name, step, target
        self.r, self.rng = random.Random(seed), np.random.default_rng(seed)
        self.t0 = datetime.fromisoformat(start.replace("Z", "+00:00"))
        self.mins = hours * 60
        self.n = int(self.mins * 60 / step)
        self.m = np.arange(self.n) * step / 60.0
        self.rows, self.logs, self.spans, self.chg, self.alerts, self.edges, self.exp = [], [], [], [], [], None, {}
        self.words = words or WORDS

    # ---- time
    def ts(self, minute, frac=True, tz=0):
        d = self.t0 + timedelta(minutes=float(minute))
        if tz:
            return d.astimezone(timezone(timedelta(hours=tz))).isoformat(timespec="seconds")
        s = d.isoformat(timespec="milliseconds" if frac else "seconds")
        return s.replace("+00:00", "Z")

    # ---- shapes over the axis, 0..1
    def stp(self, at, tau=0.0):
        x = self.m - at
        return np.where(x < 0, 0.0, 1 - np.exp(-np.maximum(x, 0) / tau) if tau else 1.0)
    def ramp(self, a, b):
        return np.clip((self.m - a) / (b - a), 0, 1)
    def pulse(self, a, b, tau=0.5):
        return self.stp(a, tau) * (1 - self.stp(b, tau))
    def growth(self, a, b, k=3):
        x = self.ramp(a, b); return (np.exp(k * x) - 1) / (np.exp(k) - 1)
    def day(self, depth=0.3, peak_min=0, period=1440):
        return 1 + depth * np.cos(2 * np.pi * (self.m - peak_min) / period)
    def ar(self, sd, phi=.6):
        e = self.rng.normal(0, sd * (1 - phi ** 2) ** .5, self.n); o = np.zeros(self.n); p = 0
        for i in range(self.n):
            p = phi * p + e[i]; o[i] = p
        return o

    # ---- metrics
    def put(self, comp, metric, arr, gap=None, dec=None):
        mag = np.median(np.abs(arr)) or 1
        if dec is None:
            dec = 0 if mag >= 1000 else 1 if mag >= 50 else 2 if mag >= 1 else 4
        every = 1
        for i, v in enumerate(np.asarray(arr, float)):
            if gap and any(a <= self.m[i] < b for a, b in gap):
                continue
            if self.rng.random() < .0015:
                continue
            v = round(float(v), dec)
            self.rows.append((i, comp, metric, int(v) if v == int(v) else v))
    def g(self, comp, metric, base, noise=.06, mul=1, add=0, season=0, phi=.5, lo=0, hi=None, gap=None, dec=None, floor=0):
        a = base * (1 + season * np.sin(2 * np.pi * self.m / 47 + self.rng.random() * 6)) * (1 + self.ar(noise, phi)) * mul
        add = np.zeros(self.n) + add
        a = a + add * (1 + self.ar(noise, phi)) + (self.rng.normal(0, floor, self.n) if floor else 0)
        a = np.clip(a, lo, hi if hi is not None else np.inf)
        self.put(comp, metric, a, gap, dec)
        return a
    def c(self, comp, metric, rate, mul=1, add=0, start=None, reset=(), gap=None, noise=.05):
        """counter; rate per second"""
        lam = np.clip((rate * (1 + self.ar(noise)) * mul + add) * self.step, 0, None) * np.ones(self.n)
        inc = self.rng.poisson(lam)
        v = np.cumsum(inc) + (start if start is not None else self.r.randint(10 ** 4, 10 ** 6))
        for m in reset:
            k = np.argmax(self.m >= m); v[k:] = v[k:] - v[k - 1]
        self.put(comp, metric, v.astype(float), gap, 0)
    def k(self, comp, metric, v=0, blips=0, size=1):
        a = np.full(self.n, float(v))
        for _ in range(blips):
            a[self.r.randrange(self.n)] += size
        self.put(comp, metric, a)

    def svc(self, comp, style="prom", rps=50, p50=20, p99=140, err=.001, traffic=1, slow=1, slow50=None, fail=0, cpu=.35, cpum=1, mem=480, memm=1, reset=(), gap=None, host=None):
        """a service's usual dashboard in the naming habit of its team; fail = extra error fraction"""
        one = np.ones(self.n)
        tr, fl, slow50 = traffic * one, fail * one, slow ** .5 if slow50 is None else slow50
        tr = tr * (1 + self.ar(.04, .7))
        e = rps * tr * (err + fl); k = comp.replace("-", "_")
        if style == "prom":
            self.c(comp, "http_requests_total", rps, mul=tr, reset=reset, gap=gap)
            self.c(comp, 'http_requests_total{code="5xx"}', 0, add=e, start=self.r.randint(3, 400), reset=reset, gap=gap)
            self.g(comp, "http_request_duration_seconds:p50", p50 / 1e3, .05, slow50, gap=gap)
            self.g(comp, "http_request_duration_seconds:p99", p99 / 1e3, .11, slow, gap=gap)
            self.g(comp, "container_cpu_usage_cores", cpu * 2, .08, cpum * tr ** .7, gap=gap)
            self.g(comp, "container_memory_working_set_mib", mem, .012, memm, phi=.9, gap=gap)
        elif style == "statsd":
            self.g(comp, f"{k}.request.count", rps * self.step, .05, tr, gap=gap, dec=0)
            self.g(comp, f"{k}.request.time.mean", p50 * 1.3, .06, slow50, gap=gap)
            self.g(comp, f"{k}.request.time.upper_95", p99 * .7, .1, slow, gap=gap)
            self.put(comp, f"{k}.request.error", self.rng.poisson(np.clip(e * self.step, 0, None)), gap, 0)
            self.g(comp, f"{k}.proc.rss_mb", mem, .012, memm, phi=.9, gap=gap)
        elif style == "cw":
            self.g(comp, "RequestCount", rps * self.step, .05, tr, gap=gap, dec=0)
            self.g(comp, "TargetResponseTime", p50 * 1.4 / 1e3, .09, slow, gap=gap)
            self.put(comp, "HTTPCode_Target_5XX_Count", self.rng.poisson(np.clip(e * self.step, 0, None)), gap, 0)
            self.g(comp, "CPUUtilization", cpu * 100, .07, cpum * tr ** .7, hi=99.6, gap=gap)
            self.g(comp, "MemoryUtilization", min(80, mem / 12), .012, memm, hi=99, phi=.9, gap=gap)
        elif style == "micrometer":
            self.c(comp, "http_server_requests_seconds_count", rps, mul=tr, reset=reset, gap=gap)
            self.g(comp, "http_server_requests_seconds_p95", p99 * .7 / 1e3, .1, slow, gap=gap)
            self.c(comp, 'http_server_requests_seconds_count{outcome="SERVER_ERROR"}', 0, add=e, start=self.r.randint(3, 90), reset=reset, gap=gap)
            saw = 1 + .25 * ((self.m / (7 + self.r.random() * 5)) % 1)
            self.g(comp, 'jvm_memory_used_bytes{area="heap"}', mem * 1e6, .02, memm * saw, gap=gap, dec=-5)
            self.g(comp, "jvm_gc_pause_seconds_max", .03, .35, gap=gap)
            self.g(comp, "process_cpu_usage", cpu, .08, cpum * tr ** .7, hi=1, gap=gap)
        elif style == "dd":
            self.g(comp, "trace.web.request.hits", rps, .05, tr, gap=gap)
            self.g(comp, "trace.web.request.duration.by.p95", p99 * .7 / 1e3, .1, slow, gap=gap)
            self.put(comp, "trace.web.request.errors", self.rng.poisson(np.clip(e * self.step, 0, None)), gap, 0)
            self.g(comp, "system.cpu.user", cpu * 100, .08, cpum * tr ** .7, hi=99.5, gap=gap)
            self.g(comp, "process.mem.rss", mem * 1048576, .012, memm, phi=.9, gap=gap, dec=-5)

    # ---- logs
    def fill(self, s):
        r = self.r
        def sub(mo):
            k = mo.group(1)
            return {"ip": lambda: f"10.{r.randint(1,40)}.{r.randint(0,255)}.{r.randint(2,250)}", "id": lambda: str(r.randint(10000, 999999)), "n": lambda: str(r.randint(20, 4000)),
                    "d": lambda: str(r.randint(1, 24)), "kb": lambda: str(r.randint(50, 9000)), "ms": lambda: str(int(r.lognormvariate(3.6, .7))), "sec": lambda: f"{r.lognormvariate(-3,.7):.3f}",
                    "pct": lambda: f"{r.uniform(88,99.5):.1f}", "hex": lambda: f"{r.getrandbits(32):08x}", "uuid": lambda: f"{r.getrandbits(32):08x}-{r.getrandbits(16):04x}-4{r.getrandbits(12):03x}",
                    "word": lambda: r.choice(self.words), "Word": lambda: r.choice(self.words).capitalize()}[k]() if k in ("ip","id","n","d","kb","ms","sec","pct","hex","uuid","word","Word") else mo.group(0)
        return re.sub(r"\{(\w+)\}", sub, s)
    def log(self, comp, minute, level, msg, **a):
        self.logs.append((minute, {"timestamp": self.ts(minute), "component": comp, "level": level, "message": self.fill(msg), **{k: self.fill(v) if isinstance(v, str) else v for k, v in a.items()}}))
    def chat(self, comp, stack, n, extra=(), until=None, start=0, w=None):
        """n lines of ordinary chatter, with a few harmless warnings"""
        T = CHAT[stack] + list(extra)
        wt = [.12 if l.lower().startswith(("warn",)) else 1 for l, _ in T]
        for _ in range(n):
            l, s = self.r.choices(T, wt)[0]
            self.log(comp, self.r.uniform(start, until or self.mins), l, s)
    def burst(self, comp, level, msgs, a, b, per_min, grow=False, **attrs):
        """lines at a rate from minute a to b; grow: rate rises linearly from 0"""
        msgs = [msgs] if isinstance(msgs, str) else msgs
        n = int((b - a) * per_min)
        for _ in range(n):
            u = self.r.random()
            self.log(comp, a + (b - a) * (u ** .5 if grow else u), level, self.r.choice(msgs), **attrs)

    # ---- spans. node = (component, name, self_ms, [children])
    def traces(self, n, tree, slow=None, fail=None, a=0, b=None):
        slow, fail = slow or {}, fail or {}
        at = lambda f, m: float(np.interp(m, self.m, f)) if isinstance(f, np.ndarray) else (f(m) if callable(f) else f)
        hx = lambda k: f"{self.r.getrandbits(4*k):0{k}x}"
        for _ in range(n):
            m = self.r.uniform(a, b or self.mins - 1); tid = hx(16); out = []
            def go(node, parent, start):
                comp, name, ms, kids = node; sid = hx(8); key = f"{comp}:{name}"
                own = ms * self.r.lognormvariate(0, .3) * at(slow.get(key, slow.get(comp, 1)), m)
                bad = self.r.random() < at(fail.get(key, fail.get(comp, 0)), m); cur = start + own * .4; kbad = False
                for kd in kids:
                    rep = kd[4] if len(kd) > 4 else 1
                    rep = int(round(at(rep, m)))
                    for _ in range(rep):
                        d, kb = go(kd[:4], sid, cur); cur += d; kbad |= kb
                        if kb: break
                    if kbad: break
                dur = cur - start + own * .6
                out.append({"trace_id": tid, "span_id": sid, "parent_id": parent, "component": comp, "name": name, "start": self.ts(m + start / 6e4), "duration_ms": round(dur, 1), "status": "ERROR" if bad or kbad else "OK"})
                return dur, bad or kbad
            go(tree, None, 0.0); self.spans += sorted(out, key=lambda s: s["start"])

    # ---- changes
    def sha(self):
        return f"{self.r.getrandbits(160):040x}"
    def change(self, id, kind, minute, comp, author, title, files=(), diff=None, commit=None, tz=0):
        if kind == "commit" and commit is None: commit = self.sha()
        self.chg.append((minute, {"id": id, "kind": kind, "timestamp": self.ts(minute, False, tz), "component": comp, "author": author, "title": title, "files": list(files), "diff": diff, "commit": commit}))
        return commit

    def alert(self, name, comp, minute, sev, summary, desc="", end=None, label="service", **lab):
        labels = {"alertname": name, "severity": sev, label: comp, **lab}
        fp = hashlib.md5(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]
        self.alerts.append({"status": "resolved" if end else "firing", "labels": labels, "annotations": {"summary": summary, "description": desc or summary},
                            "startsAt": self.ts(minute), "endsAt": self.ts(end) if end else "0001-01-01T00:00:00Z", "generatorURL": f"https://prom.example.internal/graph?g0.expr=ALERTS%7Balertname%3D%22{name}%22%7D", "fingerprint": fp})

    def expect(self, family, cause, component, change=None, decoys=(), onset=None, onset_range=None, healthy=False, why="", change_also=(), **x):
        e = {"family": family, "cause": cause, "component": component, "change": change, "decoys": list(decoys), "onset": self.ts(onset, False) if onset is not None else None,
             "onset_range": [self.ts(v, False) for v in onset_range] if onset_range else None, "healthy": healthy, "why": why}
        if change_also: e["change_also"] = list(change_also)
        e.update(x); self.exp = e

    def write(self, opened=None, metrics=True, logs=True, topology=True):
        files = {}
        first = min((a["startsAt"] for a in self.alerts))
        o = self.ts(opened) if opened is not None else first
        files["incident.json"] = json.dumps({"id": f"INC-{self.r.randint(1000,9999)}", "target": self.target, "opened_at": o, "alerts": self.alerts, "window": {"start": self.ts(0, False), "end": self.ts(self.mins, False)}}, indent=1)
        if metrics and self.rows:
            s = io.StringIO(); w = csv.writer(s, lineterminator="\n"); w.writerow(["timestamp", "component", "metric", "value"])
            tss = [self.ts(x, False) for x in self.m]
            for i, c, k, v in sorted(self.rows, key=lambda x: x[0]): w.writerow([tss[i], c, k, v])
            files["metrics.csv"] = s.getvalue()
        if logs and self.logs:
            files["logs.ndjson"] = "".join(json.dumps(d, ensure_ascii=False) + "\n" for _, d in sorted(self.logs, key=lambda x: x[0]) if 0 <= _ <= self.mins)
        if self.spans:
            files["spans.ndjson"] = "".join(json.dumps(d) + "\n" for d in self.spans)
        files["changes.ndjson"] = "".join(json.dumps(d, ensure_ascii=False) + "\n" for _, d in sorted(self.chg, key=lambda x: x[0]))
        if not self.exp["change"]:  # nothing to blame: every change is a decoy
            self.exp["decoys"] += [c["id"] for _, c in self.chg if c["id"] not in self.exp["decoys"]]
        if topology and self.edges:
            files["topology.json"] = json.dumps({"edges": self.edges})
        d = os.path.join(ROOT, "bundles", self.name); os.makedirs(d, exist_ok=True)
        for f in os.listdir(d): os.remove(os.path.join(d, f))
        with zipfile.ZipFile(d + ".zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
            for f, s in files.items():
                open(os.path.join(d, f), "w").write(s)
                zi = zipfile.ZipInfo(f, (2024, 1, 1, 0, 0, 0)); zi.compress_type = zipfile.ZIP_DEFLATED; z.writestr(zi, s, compresslevel=9)
        p = os.path.join(ROOT, "expected.json"); allx = json.load(open(p)) if os.path.exists(p) else {}
        allx[self.name] = self.exp; json.dump(dict(sorted(allx.items())), open(p, "w"), indent=1)
        print(f"{self.name:34s} {os.path.getsize(d+'.zip')/1024:6.0f} KB series={len({(c,k) for _,c,k,_ in self.rows})} logs={len(self.logs)} spans={len(self.spans)} changes={len(self.chg)} comps={len({c for _,c,_,_ in self.rows})}")
