# D1 ML: trainer image bump numpy 2 -> pickled artefact unreadable by scorer at next reload. Alarm on pricing-api; scorer deploy decoy.
from common import *
b = B("dynamic_pricing", 207, "2025-06-24T04:30:00", 170, 60, ids="mr{n}")
b.chat_scale = 0.25
L = b.load(.4, 16); T = 125; R = 95
b.topo("storefront>pricing-api;pricing-api>price-scorer,price-cache;price-scorer>model-bucket,feature-db;trainer>model-bucket,lake;scheduler>trainer")
b.svc("storefront", "prom", 260, 160, .002, load=L, rt="node"); b.svc("pricing-api", "prom", 180, 55, .001, load=L, errs=[add(T, .08, 2)], lat=[mul(T, 1.8, 3)], rt="go"); b.svc("price-scorer", "prom", 170, 22, .0005, load=L, errs=[add(T, .5, 1)], memx=[mul(T, .55, 2)], podx=[])
b.s("pricing-api", "pricing_fallback_list_price_total", .02, kind="r", fx=[add(T, 70, 3)]); b.s("price-scorer", "model_reload_success", 1, 0, kind="k", fx=[to(T, 0, 0)]); b.s("price-scorer", "model_age_minutes", 12, 0, kind="k", fx=[lambda v, m: int((m + 35) % 120)]); b.s("price-scorer", "ready_workers", 16, 0, kind="k", fx=[to(T, 7, 2)])
b.s("model-bucket", "put_requests", 0, 0, kind="k", fx=[add(R+4, 3, 0, R+5, 0)]); b.s("model-bucket", "get_requests", .4, 0, kind="p", fx=[add(5, 16, 0, 6, 0), add(T, 60, 0)]); b.s("model-bucket", "latest_object_bytes", 48211904, 0, kind="k", fx=[to(R+4, 48390112, 0)])
b.s("trainer", "job_running", 0, 0, kind="k", fx=[add(R-35, 1, 0, R+5, 0)]); b.s("trainer", "gpu_util", 1, .3, fx=[add(R-33, 84, 1, R+3)]); b.s("trainer", "val_rmse", .118, 0, kind="g", t0=R+4, fx=[]); b.s("feature-db", "qps", 300, .05, L); b.s("feature-db", "cpu", 25, .1, L); b.s("price-cache", "hit_ratio", .56, .02); b.s("lake", "scan_gb", 2, .4, fx=[add(R-35, 60, 1, R-20)]); b.s("scheduler", "dag_runs", .3, 0, kind="p")
b.chat("price-scorer", 2, ["I scored n={#1-40} {~18}ms model=price-0623", "D feature fetch {~6}ms"], 0, T, pods=2); b.chat("price-scorer", 1.5, ["I scored n={#1-40} {~18}ms model=price-0623", "D feature fetch {~6}ms"], T, pods=2)
b.log(5, "price-scorer", "I reload: models/price/latest -> price-0623 ok numpy=1.25.2"); b.log(T, "price-scorer", "I reload: models/price/latest -> price-0624")
b.chat("price-scorer", 2.4, ["E reload failed, worker exits\nTraceback (most recent call last):\n  File \"/srv/scorer/reload.py\", line 52, in reload\n    model = joblib.load(fh)\n  File \"/usr/lib/python3.11/site-packages/joblib/numpy_pickle.py\", line 658, in load\n    obj = _unpickle(fobj, filename, mmap_mode)\nModuleNotFoundError: No module named 'numpy._core'", "W no model loaded in this worker, returning 503", "I worker restart pid={#100-900}, numpy=1.25.2"], T+.05, pods=2, w=[2, 3, 1])
b.chat("pricing-api", 2, "go"); b.chat("pricing-api", 3, ["W scorer 503, list price used sku={#1000-9999}"], T+.1); b.chat("storefront", 2, "node"); b.chat("scheduler", .7, "batch"); b.chat("feature-db", .5, "pg"); b.chat("trainer", 1.2, ["I epoch={#1-40} loss=0.0{#100-300}", "D prefetch ok"], R-35, R+3)
b.log(R-35, "trainer", "I image trainer:0624 python=3.11 numpy=2.1.1 scikit-learn=1.5.2"); b.log(R+4, "trainer", "I val_rmse=0.1183 (prev 0.1191) publish models/price/price-0624.joblib -> latest")
G = b.change(22, "commit", "trainer", "trainer: bump scientific stack (security scan)", author="deps-bot", diff=D("trainer/requirements.lock", """
 joblib==1.4.2
-numpy==1.25.2
-pandas==2.1.4
-scikit-learn==1.4.2
-scipy==1.11.4
+numpy==2.1.1
+pandas==2.2.3
+scikit-learn==1.5.2
+scipy==1.14.1
 threadpoolctl==3.5.0""", 6))
d1 = b.change(T-4.5, "deploy", "price-scorer", "price-scorer 1.30.0: feature fetch timeout 40ms", diff=D("scorer/features.py", "-TIMEOUT = 0.060\n+TIMEOUT = 0.040\n \n def fetch(keys):\n     return db.mget(keys, timeout=TIMEOUT)", 8))
d2 = b.change(T-11, "deploy", "pricing-api", "pricing-api 5.5.0: fallback counter", diff=D("pricing/price.go", " \tif err != nil {\n+\t\tfallbackTotal.Inc()\n \t\treturn p.list(sku), nil\n \t}", 77))
d3 = b.change(60, "config", "scheduler", "dag price_train: start 05:30 instead of 06:00", diff=D("dags/price_train.py", "-    schedule=\"0 6 * * *\",\n+    schedule=\"30 5 * * *\",\n     catchup=False,", 14))
b.bg(6, ["storefront", "price-cache", "feature-db", "lake"], -90, 120)
b.alert(T+4, "ListPriceFallback", "critical", "pricing-api serves list prices", "fallback > 50/s", service="pricing-api"); b.alert(T+6, "ScorerWorkers", "warning", "price-scorer 7/16 workers ready", "", service="price-scorer")
b.done("dynamic pricing", "library bump in the trainer makes the artefact unreadable for the scorer", ["dependency", "code"], ["trainer", "price-scorer"], G, [d1, d2, d3], T, "the scorer (numpy 1.25) fails on numpy._core exactly when it reloads the artefact written by the trainer image with numpy 2; its own deploy had run for minutes with the old model.")
