# Third party lying: weather provider serves stale/wrong values with 200 OK. Energy load forecasting. No spans, no logs of provider.
from common import *
b = Bundle("weather-feed-frozen", 307, "2025-02-19T02:00:00Z", 6, 60, "load-forecast", ["stations", "grids", "forecasts", "bids"])
ON = 146; s = b.stp(ON, 14)
b.svc("wx-fetcher", "prom", 3, 210, 900); b.g("wx-fetcher", "wx_stations_received", 412, .004, dec=0); b.k("wx-fetcher", "wx_http_status_not_200", 0, 3); 
t = -3.2 + .006 * b.m + b.rng.normal(0, .12, b.n); k = int(ON); t[k:] = t[k]; b.put("wx-fetcher", "wx_temperature_mean_c", t, dec=2)
w = 5.2 + b.ar(.35, .9); w[k:] = w[k]; b.put("wx-fetcher", "wx_wind_mean_ms", w, dec=2)
b.g("wx-fetcher", "wx_changed_values_ratio", .93, .02, 1 - b.stp(ON), hi=1); b.g("wx-fetcher", "wx_publication_age_s", 140, .15)
b.put("onsite-sensors", "own_temperature_mean_c", -2.9 + .0065 * b.m + b.ar(.15, .8), dec=2); b.g("onsite-sensors", "own_sensor_count", 31, .01, dec=0)
b.svc("feature-builder", "prom", 9, 90, 500); b.k("feature-builder", "feature_nulls", 0); b.svc("forecast-svc", "prom", 25, 40, 230, mem=1500); b.g("forecast-svc", "forecast_mape", .021, .09, 1 + 3.4 * b.ramp(ON + 20, ON + 130)); b.g("forecast-svc", "forecast_load_mw", 4100, .01, b.day(.15, 300)); b.k("forecast-svc", "model_version", 88)
b.g("bidding", "imbalance_cost_eur_per_min", 41, .18, 1 + 6.5 * b.ramp(ON + 25, ON + 140)); b.svc("bidding", "prom", 5, 30, 160); b.g("grid-meters", "metered_load_mw", 4120, .012, b.day(.15, 300) * (1 + .09 * b.ramp(ON + 15, 300))); b.g("grid-meters", "meter_lag_s", 22, .2, 1 + 8 * b.pulse(95, 110, 2))
b.g("timescale", "pg_connections", 44, .07, dec=0); b.g("timescale", "pg_io_util", .22, .15, 1 + 2.4 * b.pulse(120, 168, 3)); b.c("timescale", "pg_xact_commit", 110)
b.chat("feature-builder", "airflow", 140); b.chat("forecast-svc", "ml", 260); b.chat("bidding", "go", 120); b.chat("timescale", "postgres", 90)
for i in range(0, 360, 5):
    b.log("wx-fetcher", i + .2, "INFO", f"GET https://wx.example/v2/grid?run=latest 200 bytes=18{{n}} stations=412 payload_sha={'{hex}' if i < ON else 'c41d09ae'}")
b.log("timescale", 121, "LOG", "base backup started, label \"nightly\""); b.log("timescale", 167, "LOG", "base backup finished")
b.burst("forecast-svc", "WARNING", "residual {n}.0 MW outside 3 sigma for area {d} horizon 1h", ON + 35, b.mins, 1, grow=True); b.burst("bidding", "warn", "imbalance position above limit area={d}", ON + 40, b.mins, .8, grow=True)
b.change("lf-412", "commit", 88, "feature-builder", "kaisa", "Heating degree features: base 17 -> 16 C", ["features/hdd.py"], diff("features/hdd.py", '''@@ -5,7 +5,7 @@
-BASE_C = 17.0
+BASE_C = 16.0
 
 def hdd(temp_c: pd.Series) -> pd.Series:
     return (BASE_C - temp_c).clip(lower=0)
'''), tz=1)
b.change("lf-d-190", "deploy", 139, "forecast-svc", "gitlab", "forecast-svc 1.90 (reads hdd v2 behind a switch, off)", ["svc/app.py"], None, tz=1); b.change("wx-c-7", "config", 71, "wx-fetcher", "kaisa", "fetch every 5 min instead of 10", ["deploy/wx.yaml"], diff("deploy/wx.yaml", '''@@ -6,3 +6,3 @@ schedule:
-  everyMinutes: 10
+  everyMinutes: 5
   timeoutSeconds: 20
'''), tz=1)
b.change("bid-301", "deploy", 170, "bidding", "gitlab", "bidding 3.0.1: new area codes", ["bid/areas.go"], None, tz=1); b.change("lf-415", "commit", 144, "wx-fetcher", "rurik", "fetcher: reuse HTTP session", ["wx/client.py"], diff("wx/client.py", '''@@ -14,6 +14,7 @@ class WxClient:
     def __init__(self, base):
         self.base = base
+        self.session = requests.Session()
 
     def latest(self):
-        r = requests.get(f"{self.base}/grid", params={"run": "latest"}, timeout=20)
+        r = self.session.get(f"{self.base}/grid", params={"run": "latest"}, timeout=20)
'''), tz=1)
b.alert("ForecastErrorHigh", "forecast-svc", 221, "warning", "MAPE above 5% over 30 min"); b.alert("ImbalanceCost", "bidding", 238, "critical", "imbalance cost above 150 EUR/min")
b.edges = [["feature-builder", "wx-fetcher"], ["forecast-svc", "feature-builder"], ["forecast-svc", "timescale"], ["bidding", "forecast-svc"], ["wx-fetcher", "weather-provider"], ["forecast-svc", "grid-meters"]]
b.expect("third_party_lying", ["data", "dependency"], ["weather-provider", "wx-fetcher"], None, ["lf-415", "lf-d-190", "wx-c-7", "bid-301", "lf-412"], ON, [ON - 2, ON + 40], why="From 04:26 every payload has the same hash and temperature/wind stand still with 200 OK and a young publication age, own sensors keep moving; the session commit (lf-415) was never deployed (no deploy record) and cannot freeze a payload.")
b.write(opened=240)
