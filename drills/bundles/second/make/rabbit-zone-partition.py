# Elixir chat: network partition between zones splits RabbitMQ. Decoys: deploy of chat, broker policy earlier. Metrics gap for zone c.
from common import *
b = Bundle("rabbit-zone-partition", 309, "2025-10-05T09:00:00Z", 2, 15, "chat", ["rooms", "threads", "reactions", "receipts"])
ON = 47; END = 78; s = b.pulse(ON, END, .6); gap = [(ON + 1, ON + 9)]
for i, z in ((1, "a"), (2, "b"), (3, "c")):
    k = f"rabbit-{i}"; b.g(k, "rabbitmq_connections", 130, .03, 1 - (.6 * s if z == "c" else -.1 * s), dec=0, gap=gap if z == "c" else None); b.put(k, "rabbitmq_partitions", np.round(s) * (2 if z == "c" else 1), dec=0, gap=gap if z == "c" else None); b.g(k, "rabbitmq_queue_messages_ready", 90, .4, add=(61000 * b.ramp(ON, END) * (1 - b.stp(END + 2, 6)) if z != "c" else 0), dec=0); b.g(k, "rabbitmq_disk_free_gib", 88, .01, phi=.9); b.g(k, "node_network_retransmits_rate", 3, .4, add=(420 if z == "c" else 190) * s)
b.g("net-zone", "rtt_ms_a_b", .8, .08); b.g("net-zone", "rtt_ms_a_c", .9, .08, 1 + 60 * s); b.g("net-zone", "loss_percent_a_c", 0, add=34 * s, floor=.02, dec=2); b.g("net-zone", "loss_percent_a_b", 0, floor=.02, dec=2)
b.svc("chat-gw", "prom", 300, 11, 90, slow=1 + 3 * s, fail=.03 * s); b.g("chat-gw", "websocket_connected", 41000, .01, 1 - .3 * s, dec=0); b.g("chat-gw", "beam_run_queue", 2, .4, 1 + 3 * s); b.svc("room-svc", "prom", 210, 9, 70, slow=1 + 14 * s, fail=.2 * s); b.svc("fanout", "prom", 500, 4, 40, slow=1 + 25 * s, fail=.11 * s); b.g("fanout", "delivery_delay_p95_s", .3, .15, add=95 * b.ramp(ON, END) * (1 - b.stp(END + 2, 5))); b.svc("push-svc", "statsd", 60, 50, 300, traffic=1 + .8 * s); b.svc("media-svc", "statsd", 40, 70, 500); b.g("pg-chat", "pg_connections", 90, .05, dec=0); b.g("pg-chat", "pg_tps", 700, .06, 1 - .25 * s)
b.g("media-svc", "disk_io_util", .2, .2, 1 + 3 * b.pulse(15, 29, 1))
b.chat("chat-gw", "elixir", 340); b.chat("room-svc", "elixir", 240); b.chat("rabbit-1", "rabbitmq", 110); b.chat("rabbit-3", "rabbitmq", 70); b.chat("push-svc", "node", 110); b.chat("pg-chat", "postgres", 60)
b.log("rabbit-1", ON + .9, "error", "Mnesia(rabbit@rabbit-1): ** ERROR ** mnesia_event got {inconsistent_database, running_partitioned_network, 'rabbit@rabbit-3'}"); b.log("rabbit-2", ON + 1.1, "error", "Mnesia(rabbit@rabbit-2): ** ERROR ** mnesia_event got {inconsistent_database, running_partitioned_network, 'rabbit@rabbit-3'}"); b.log("rabbit-3", ON + .8, "warning", "node 'rabbit@rabbit-1' down: net_tick_timeout"); b.log("rabbit-3", ON + .85, "warning", "Cluster minority status detected - awaiting"); b.log("rabbit-3", END + .7, "info", "node 'rabbit@rabbit-1' up"); b.log("rabbit-1", END + 1, "warning", "Autoheal: selected winner rabbit@rabbit-1, restarting losers")
b.burst("room-svc", "error", ["publish to amq.topic failed: {:error, :blocked} room={id}", "GenServer RoomServer.{id} terminating ** (stop) exited in: GenServer.call(AMQP.Channel, :open, 5000) ** (EXIT) time out"], ON + 1, END + 2, 6); b.burst("fanout", "error", "consumer cancelled by broker queue=fanout.{d}", ON + .5, ON + 12, 4); b.burst("chat-gw", "warning", "transport heartbeat missed, closing socket user={id} zone=c", ON + .3, END, 4)
c = b.change("ch-71", "commit", 25, "room-svc", "oona", "RoomServer: publish with confirms", ["lib/chat/room_server.ex"], diff("lib/chat/room_server.ex", '''@@ -88,7 +88,9 @@ defmodule Chat.RoomServer do
   defp publish(%{chan: chan} = state, msg) do
-    AMQP.Basic.publish(chan, "amq.topic", state.key, encode(msg))
+    :ok = AMQP.Basic.publish(chan, "amq.topic", state.key, encode(msg), persistent: true)
+    true = AMQP.Confirm.wait_for_confirms(chan, 5_000)
+    :ok
   end
'''))
b.change("ch-rel-55", "deploy", 45.5, "room-svc", "ci", "room-svc 0.55.0", commit=c); b.change("rb-pol-2", "config", 18, "rabbit-1", "platform", "policy fanout.*: message-ttl 10m", ["rabbit/policies.json"], diff("rabbit/policies.json", '''@@ -11,4 +11,5 @@
   "pattern": "^fanout\\\\.",
   "definition": {
+    "message-ttl": 600000,
     "queue-mode": "lazy"
'''))
b.change("gw-rel-31", "deploy", 36, "chat-gw", "ci", "chat-gw 3.1: compress frames", ["lib/gw/endpoint.ex"], None); b.change("fl-typing", "flag", 44, "chat-gw", "product", "typing indicator v2: 50%"); b.change("ch-rb-55", "deploy", 63, "room-svc", "oona", "room-svc 0.54.9 (rollback)", [], None)
b.alert("DeliveryDelay", "fanout", 50, "critical", "p95 delivery delay above 10 s"); b.alert("RoomErrors", "room-svc", 49.5, "critical", "room-svc errors > 10%"); b.alert("RabbitPartition", "rabbit-3", 52, "critical", "rabbitmq_partitions > 0", label="instance")
b.edges = [["chat-gw", "room-svc"], ["room-svc", "rabbit-1"], ["room-svc", "rabbit-2"], ["room-svc", "rabbit-3"], ["fanout", "rabbit-1"], ["fanout", "rabbit-3"], ["fanout", "chat-gw"], ["fanout", "push-svc"], ["room-svc", "pg-chat"], ["chat-gw", "media-svc"]]
b.expect("infrastructure_network", ["infrastructure"], ["net-zone", "rabbit-3"], None, ["ch-rel-55", "ch-71", "fl-typing", "gw-rel-31", "rb-pol-2", "ch-rb-55"], ON, [ON - 1, ON + 2], why="Loss and round trip between zones a and c jump at 09:47 with partitioned mnesia; the rollback of room-svc at 10:03 changes nothing and all heals when the link returns at 10:18.")
b.write(opened=51)
