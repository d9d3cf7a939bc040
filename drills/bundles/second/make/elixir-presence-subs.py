# Elixir: subscriptions never dropped -> memory leak, OOM kills after ~2 h, reconnect storms hit auth. Diff there; no log names the file. Alarm on auth (victim).
from common import *
b = Bundle("elixir-presence-subs", 320, "2025-04-29T15:00:00Z", 5, 60, "live-classroom", ["rooms", "lessons", "whiteboards", "hands"])
DEP = 88; ON = 203
m = {}
for i, off in ((1, 0), (2, 23), (3, 41)):
    k = f"live-{i}"; up = np.clip(b.m - DEP - i, 0, None) * (6100 / (ON + off - DEP)); mm = 1750 + up; kill = ON + off; mm = np.where(b.m >= kill, 1500 + np.clip(b.m - kill, 0, None) * 55, mm)
    b.g(k, "container_memory_working_set_mib", 0, add=mm, noise=.012, dec=0); b.g(k, "beam_ets_memory_mib", 0, add=200 + (mm - 1500) * .6, noise=.02, dec=0); b.g(k, "beam_process_count", 31000, .02, 1 - .55 * b.pulse(kill, kill + 9, 3), dec=0); b.put(k, "restarts_total", b.stp(kill), dec=0); b.g(k, "websocket_connected", 9800, .02, 1 - .97 * b.pulse(kill, kill + 8, 3), dec=0); b.g(k, "beam_run_queue", 2, .4, 1 + 2.5 * b.pulse(kill - 12, kill, 3)); b.g(k, "phoenix_pubsub_broadcast_us", 90, .1, 1 + 4 * b.ramp(DEP, kill))
storm = sum(b.pulse(ON + o, ON + o + 7, .8) for o in (0, 23, 41))
b.svc("auth-svc", "prom", 30, 15, 110, traffic=1 + 16 * storm, slow=1 + 18 * storm, fail=.35 * storm, cpum=1 + .5 * storm); b.svc("web-app", "prom", 80, 40, 260, slow=1 + 2.5 * storm, fail=.06 * storm); b.svc("recording", "statsd", 12, 110, 700, traffic=b.day(.3, 140, 500)); b.g("pg-class", "connections", 70, .06, 1 + .8 * storm, dec=0); b.g("pg-class", "cpu", .2, .08, 1 + 1.6 * storm); b.g("redis-sess", "redis_ops", 1500, .06, 1 + 7 * storm); b.g("recording", "disk_used_ratio", .58, .004, 1 + .22 * b.ramp(100, 300), phi=.9)
for k in ("live-1", "live-2", "live-3"): b.chat(k, "elixir", 190)
b.chat("auth-svc", "go", 230); b.chat("web-app", "nginx", 170); b.chat("k8s-events", "k8s", 70)
for k, o in (("live-1", 0), ("live-2", 23), ("live-3", 41)):
    b.log("k8s-events", ON + o, "Warning", f"{k}: OOMKilling Memory cgroup out of memory: Killed process 1 (beam.smp) total-vm:11240112kB"); b.burst(k, "warning", "alarm_handler: {set,{system_memory_high_watermark,[]}}", ON + o - 26, ON + o, .25); b.burst("auth-svc", "error", "token exchange failed: context deadline exceeded", ON + o, ON + o + 8, 6); b.burst("web-app", "error", '"GET /auth/token HTTP/1.1" 503 upstream=auth-svc', ON + o, ON + o + 8, 4)
sha = b.change("lc-611", "commit", 55, "live", "siv", "Raise hand: room channel follows every participant", ["lib/live_web/channels/room_channel.ex"], diff("lib/live_web/channels/room_channel.ex", '''@@ -24,6 +24,13 @@ defmodule LiveWeb.RoomChannel do
   def handle_info({:participant_joined, p}, socket) do
     push(socket, "joined", %{id: p.id, name: p.name})
+    Phoenix.PubSub.subscribe(Live.PubSub, "hands:#{p.id}")
     {:noreply, assign(socket, :count, socket.assigns.count + 1)}
   end
 
+  def handle_info({:hand, id, up?}, socket) do
+    push(socket, "hand", %{id: id, up: up?})
+    {:noreply, socket}
+  end
+
   def handle_info({:participant_left, p}, socket) do
     push(socket, "left", %{id: p.id})
''')); b.change("live-rel-40", "deploy", DEP, "live", "argo", "live 4.0 on live-1..3", commit=sha)
b.change("au-77", "commit", 170, "auth-svc", "pekka", "auth: argon2 memory 32 MiB -> 46 MiB", ["auth/hash.go"], diff("auth/hash.go", '''@@ -8,3 +8,3 @@ var params = argon2id.Params{
-	Memory:      32 * 1024,
+	Memory:      46 * 1024,
 	Iterations:  2,
''')); b.change("au-rel-19", "deploy", 199, "auth-svc", "argo", "auth-svc 1.9", commit=b.chg[-1][1]["commit"]); b.change("k8s-lim", "config", 130, "live", "platform", "live: memory request 6Gi -> 7Gi (limit stays 8Gi)", ["helm/live/values.yaml"], diff("helm/live/values.yaml", '''@@ -17,5 +17,5 @@ resources:
   requests:
-    memory: 6Gi
+    memory: 7Gi
   limits:
     memory: 8Gi
''')); b.change("fl-board", "flag", 110, "web-app", "product", "shared whiteboard: 30% of schools"); b.change("rec-5", "deploy", 150, "recording", "argo", "recording 5.2"); b.change("lc-618", "commit", 230, "live", "siv", "live: log reconnects", [], None)
b.alert("AuthErrors", "auth-svc", 206, "critical", "auth-svc 5xx > 15%", end=212); b.alert("WebErrors", "web-app", 207, "warning", "token requests fail", end=213); b.alert("AuthErrorsRepeated", "auth-svc", 229, "critical", "auth-svc 5xx > 15% (second time in 30 minutes)")
b.edges = [["web-app", "auth-svc"], ["web-app", "live-1"], ["web-app", "live-2"], ["web-app", "live-3"], ["live-1", "auth-svc"], ["live-2", "auth-svc"], ["live-3", "auth-svc"], ["auth-svc", "pg-class"], ["auth-svc", "redis-sess"], ["live-1", "recording"]]
b.expect("code_memory_leak", ["code"], ["live", "live-1", "live-2", "live-3"], "lc-611", ["au-rel-19", "au-77", "k8s-lim", "fl-board", "rec-5", "lc-618"], ON, [DEP, ON + 3], change_also=["live-rel-40"], why="Memory and ETS of all live nodes rise from 16:28 (live 4.0 subscribes for every participant and never unsubscribes) until each is OOM-killed; auth fails only in the minutes of the reconnect storms, 17x traffic.", delayed=True)
b.write(opened=208)
