from common import *
b = B("coupon-null-stack", 421, "2024-03-26T13:00:00Z", 2, 20, "shop-chain")
D=61.5; T=62.6; R=88.0
f=b.stp(T,1.3)*(1-b.stp(R,.8))
b.edges=[["storefront","cart-service"],["cart-service","promotion-service"],["promotion-service","promo-db"],["cart-service","price-service"],["storefront","product-service"]]
b.svc2("storefront","otel",rps=160,p50=40,p99=330,fail=.045*f); b.svc("cart-service","micrometer",rps=55,p50=22,p99=190,fail=.15*f); b.svc("promotion-service","micrometer",rps=48,p50=9,p99=80,fail=.17*f)
b.svc2("price-service","grpc",rps=70,p50=4,p99=25); b.svc2("product-service","otel",rps=130,p50=9,p99=70); b.pg("promo-db",tps=95)
for c,s,n in (("storefront","node",420),("cart-service","spring",300),("promotion-service","spring",260),("price-service","go",180),("product-service","spring",220),("promo-db","postgres",60)): b.chat(c,s,n)
st="java.lang.NullPointerException: Cannot invoke \"java.time.Instant.isBefore(java.time.Instant)\" because \"coupon.validUntil()\" is null\n\tat shop.promotion.coupon.CouponEligibility.stillValid(CouponEligibility.java:47)\n\tat shop.promotion.coupon.CouponEligibility.check(CouponEligibility.java:31)\n\tat shop.promotion.PromotionController.apply(PromotionController.java:66)\n\tat org.springframework.web.method.support.InvocableHandlerMethod.doInvoke(InvocableHandlerMethod.java:255)"
b.trace_log("promotion-service","ERROR","Servlet.service() threw exception [Request processing failed: java.lang.NullPointerException]",st,T,R+.5,7)
b.burst("cart-service","WARN","promotion-service answered 500 for basket {hex}",T+.1,R+.6,6); b.burst("storefront","error","POST /bff/basket/{id}/coupon 502",T+.2,R+.6,3)
b.log("promotion-service",D+.8,"INFO","Started PromotionApplication 2.61.0 in 9.3 seconds"); b.log("promotion-service",R+.4,"INFO","Started PromotionApplication 2.60.3 in 9.1 seconds")
p="src/main/java/shop/promotion/coupon/CouponEligibility.java"
b.change("r-4102","deploy",D,"promotion-service","v.moreau","promotion-service 2.61.0: reject coupons past their validity",[p,"src/test/java/shop/promotion/coupon/CouponEligibilityTest.java"],diff(p,"""
@@ -28,10 +28,24 @@ class CouponEligibility {
     Eligibility check(Coupon coupon, Basket basket) {
-        if (coupon.minimum().compareTo(basket.net()) > 0) {
+        if (!stillValid(coupon)) {
+            return Eligibility.EXPIRED;
+        }
+        if (coupon.minimum().compareTo(basket.net()) > 0) {
             return Eligibility.BELOW_MINIMUM;
         }
         return Eligibility.OK;
     }
+
+    private boolean stillValid(Coupon coupon) {
+        Instant now = clock.instant();
+        if (coupon.validUntil().isBefore(now)) {
+            metrics.counter("coupon.expired").increment();
+            return false;
+        }
+        return true;
+    }
 }
"""),commit=b.sha())
b.change("r-4103","deploy",T-.4,"cart-service","d.olsen","cart-service 9.17.1: keep gift note when a line is removed",["src/main/java/shop/cart/LineRemoval.java"],diff("src/main/java/shop/cart/LineRemoval.java","@@ -18,6 +18,7 @@ class LineRemoval {\n     Cart remove(Cart cart, LineId id) {\n         Cart out = cart.without(id);\n+        out.giftNote(cart.giftNote());\n         return repo.save(out);\n     }\n"),commit=b.sha())
b.inn("r-4101","ts-header",22,"storefront","web-team"); b.change("r-4104","deploy",R,"promotion-service","v.moreau","Roll back promotion-service to 2.60.3",[],None,commit=b.sha()); b.inn("r-4105","go-metrics",T+9,"price-service","j.baum"); b.inn("r-4106","helm-label",96,"product-service","platform-bot",kind="config")
b.alert("Storefront5xx","storefront",T+4,"warning","storefront 5xx above 2%"); b.alert("CartErrors","cart-service",T+3.6,"critical","cart-service server errors above 8%")
tree=("storefront","POST /bff/basket/coupon",8,[("cart-service","applyCoupon",10,[("promotion-service","POST /apply",6,[("promo-db","SELECT coupon",2,[])]),("price-service","Quote",3,[])])])
b.traces(80,tree,{},{"promotion-service":.6*f})
b.expect("null pointer in new check","code",["promotion-service"],"r-4102",["r-4103","r-4105"],T,(D,T+2),why="The stack trace is CouponEligibility.stillValid, added by this deploy; its rollback ended the errors; cart-service only passes them on.")
b.exp["cause"]=["code"]; b.write()
