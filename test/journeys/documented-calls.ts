/**
 * The calls of the documented contract exactly as printed, with their line breaks. A test replaces only the host and
 * the credentials.
 */
export const appMeCall = `curl http://localhost:8080/api/v1/app/me \\
-H "X-Api-Key: oi_test_xxx" \\
-H "X-Api-Secret: your-secret"`;

export const createCall = `curl -X POST http://localhost:8080/api/v1/payments \\
-H "X-Api-Key: oi_test_xxx" \\
-H "X-Api-Secret: your-secret" \\
-H "Content-Type: application/json" \\
-H "Idempotency-Key: 0f8b…-unique-per-attempt" \\
-d '{
"amountMinor": 10000,
"currency": "BDT",
"customerReference": "cust_123",
"customerEmail": "jane@example.com",
"productName": "Pro plan"
}'`;

/** The same call as on another page of the documentation. */
export const createCallInOneLine = `curl -X POST http://localhost:8080/api/v1/payments \\
-H "X-Api-Key: oi_test_xxx" -H "X-Api-Secret: your-secret" \\
-H "Content-Type: application/json" \\
-H "Idempotency-Key: 9b1c…" \\
-d '{ "amountMinor": 10000, "currency": "BDT",
"customerReference": "cust_123", "customerEmail": "jane@example.com",
"productName": "Pro plan" }'`;

/** The payment in the documentation has the id 100. A test replaces it. */
export const readCall = `curl http://localhost:8080/api/v1/payments/100 \\
-H "X-Api-Key: oi_test_xxx" -H "X-Api-Secret: your-secret"`;

/** A sentence in the documentation names this call, without an example. */
export const listCall = `curl "http://localhost:8080/api/v1/payments?customerReference=cust_123" \\
-H "X-Api-Key: oi_test_xxx" -H "X-Api-Secret: your-secret"`;

export const appMeSample = {
  data: { id: 42, name: 'Storefront', mode: 'TEST' },
  meta: { success: true, timestamp: '2026-06-04T10:00:00Z' },
};

export const createSample = {
  data: {
    id: 100,
    reference: 'pay_abc',
    status: 'PENDING',
    amountMinor: 10_000,
    currency: 'BDT',
    checkoutUrl: 'http://localhost:3000/checkout/pay_abc',
  },
  meta: { success: true, timestamp: '2026-06-04T10:00:01Z' },
};
