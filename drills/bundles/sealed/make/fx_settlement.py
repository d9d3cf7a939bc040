# C9 banking: rounding scale fixed to 2 decimals; breaks seen only at the 17:00 reconciliation. No topology.
from common import *
b = B("fx_settlement", 109, "2025-03-27T11:30:00", 345, 120, ids="CHG00{n}", tz="+00:00")
b.chat_scale = 0.5
L = b.load(.3, 14); T = 315  # 16:45 end of day reconciliation
b.topo("x>y"); b.edges = []
for c, r, ms in (("deal-capture", 9, 140), ("netting-engine", 14, 60), ("fx-rates", 60, 12), ("settlement-gw", 6, 300)):
    b.svc(c, "cw", r, ms, .0008, load=L, rt="jvm" if c != "fx-rates" else None)
b.s("netting-engine", "netting.obligations.created", 420, 0, L, kind="p"); b.s("netting-engine", "netting.residual.rejected", 0, 0, kind="k")
b.pg("deals-db", 44, 150, 21, 500, L, style="cw")
b.s("recon-batch", "recon.rows.compared", 0, 0, kind="k", fx=[add(135, 21400, 0, 137, 0), add(T, 58231, 0, T+4, 0)]); b.s("recon-batch", "recon.breaks", 0, 0, kind="k", fx=[add(135, 2, 0, 137, 0), add(T, 3127, 0, T+28, 0)]); b.s("recon-batch", "CPUUtilization", 4, .3, fx=[add(135, 30, 1, 139), add(T-2, 55, 2, T+9)])
b.s("recon-batch", "recon.breaks.amount_usd", 0, 0, kind="k", fx=[add(135, 41, 0, 137, 0), add(T, 188412, 0, T+28, 0)])
b.chat("deal-capture", 1, "spring"); b.chat("netting-engine", .6, ["I netted set {hex6} deals={#2-30} ccy={USD|EUR|GBP|CHF}", "I netted set {hex6} deals={#2-9} ccy={JPY|KWD|BHD|OMR}", "W counterparty {#100-400} has no standing instruction, default used"], 0, 31, build="5.8.0"); b.chat("netting-engine", .6, ["I netted set {hex6} deals={#2-30} ccy={USD|EUR|GBP|CHF}", "I netted set {hex6} deals={#2-9} ccy={JPY|KWD|BHD|OMR}", "W counterparty {#100-400} has no standing instruction, default used"], 31, build="5.8.1"); b.chat("fx-rates", .7, ["I tick set published pairs=84 {~8}ms", "D source primary ok"]); b.chat("settlement-gw", .5, ["I MT202 acknowledged ref={hex8}", "W ack late {#20-60}s ref={hex8}"]); b.chat("deals-db", .3, "pg")
b.log(135, "recon-batch", "I recon MIDDAY start cut=13:45"); b.log(137, "recon-batch", "I recon MIDDAY done rows=21400 breaks=2 scope=USD,EUR,GBP")
b.log(T, "recon-batch", "I recon EOD start cut=16:40 scope=ALL")
for i in range(70):
    c = b.R.choice(["KWD", "KWD", "BHD", "OMR", "JPY"]); th = b.R.randint(20000, 990000); h = "1%d:%02d" % (b.R.randint(2, 5), b.R.randint(5, 59))
    if c == "JPY": o, x = "%.2f" % (th + b.R.choice([-.4, .3, .2, -.25])), "%d" % th
    else:
        th += 1 if th % 10 == 0 else 0; o, x = "%.2f" % (th / 1000), "%.3f" % (th / 1000)
    b.log(T + .5 + i * .05, "recon-batch", f"W break deal={{hex6}} ccy={c} ours={o} theirs={x} booked_by=netting-engine/5.8.1 traded={h}")
b.log(T+4, "recon-batch", "E recon EOD finished rows=58231 breaks=3127 by_ccy: KWD=1204 BHD=711 OMR=406 JPY=800 USD=3 EUR=3 by_build: 5.8.1=3121 5.8.0=6")
G = b.change(31, "deploy", "netting-engine", "netting-engine 5.8.1: one Money type", diff=D("netting/src/main/java/fx/netting/Money.java", """
 public record Money(BigDecimal amount, Currency currency) {
+    private static final int SCALE = 2;
+
     public Money {
-        amount = amount.setScale(currency.getDefaultFractionDigits(), RoundingMode.HALF_EVEN);
+        amount = amount.setScale(SCALE, RoundingMode.HALF_EVEN);
     }
 
     public Money plus(Money o) {""", 14))
d1 = b.change(T-6, "deploy", "recon-batch", "recon-batch 2.2.0: by_build column in the summary", diff=D("recon/Summary.java", """
     String line() {
-        return "breaks=" + breaks.size() + " by_ccy: " + byCcy();
+        return "breaks=" + breaks.size() + " by_ccy: " + byCcy() + " by_build: " + byBuild();
     }""", 60))
d2 = b.change(230, "config", "fx-rates", "fx-rates: secondary source weight 0.2 -> 0.3", diff=D("config/sources.yaml", " sources:\n   primary: { weight: 0.7 }\n-  secondary: { weight: 0.2 }\n+  secondary: { weight: 0.3 }", 2))
d3 = b.change(T-19, "deploy", "settlement-gw", "settlement-gw 7.30.0", files=["settlement-gw/CHANGELOG.md"], diff=None)
b.bg(6, ["deal-capture", "settlement-gw", "deals-db", "fx-rates"], 0, 300)
b.alert(T+5, "ReconBreaks", "critical", "EOD reconciliation: 3127 breaks", "recon.breaks > 50", job="recon-batch")
b.done("fx settlement", "rounding scale ignores currency; surfaces at end of day reconciliation", ["code"], ["netting-engine"], G, [d1, d2, d3], T, "nearly all breaks are currencies without two decimals booked by build 5.8.1, almost five hours after its deploy; the midday run only covered USD/EUR/GBP.", no=("topology",))
