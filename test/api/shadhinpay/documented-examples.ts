/**
 * The calls from ShadhinPay's documentation exactly as printed, with their line breaks. A test replaces only the host, the credentials and
 * the id of the payment.
 */
export const createCall = `curl -X POST https://api.shadhinpay.pay/api/v1/payments \\
-H "Client-Id: HM_4f8c2b1a" \\
-H "Business-Id: HB_71c4a09e" \\
-H "X-Api-Key: sk_live_aB3kC9...9xQ2" \\
-H "X-Idempotency-Key: order-7831-attempt-1" \\
-H "Content-Type: application/json" \\
-d '{
"amount": "1500.50",
"currency": "BDT",
"merchantTxnId": "order-7831",
"callbackUrl": "https://shop.example.com/checkout/return",
"preferredVendor": "BKASH",
"customerPhone": "8801712345678",
"description": "Order #7831",
"valueA": "campaign=summer",
"expiresInMinutes": 15
}'`;

export const readCall = `curl https://api.shadhinpay.pay/api/v1/payments/PAY_20260517_K8X3M2 \\
-H "Client-Id: HM_4f8c2b1a" \\
-H "Business-Id: HB_71c4a09e" \\
-H "X-Api-Key: sk_live_aB3kC9...9xQ2"`;

/** The answer to the first call as shown in the documentation. */
export const createSample = {
  status: 'success',
  message: 'Payment initiated successfully',
  data: {
    paymentId: 'PAY_20260517_K8X3M2',
    merchantTxnId: 'order-7831',
    amount: '1500.50',
    currency: 'BDT',
    status: 'PENDING',
    vendor: 'BKASH',
    paymentUrl: 'https://com.shadhinpay.pay/pay/PAY_20260517_K8X3M2',
    description: 'Order #7831',
    refundTotal: '0.00',
    initiatedAt: '2026-05-17T10:00:00Z',
    completedAt: null,
    expiresAt: '2026-05-17T10:15:00Z',
    valueA: 'campaign=summer',
  },
} as const;
