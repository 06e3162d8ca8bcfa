/**
 * The programs from OwnPay's documentation exactly as printed, with their line breaks. Their page hides the email address; here it is
 * jane@example.com.
 */
export const phpExample = `<?php
$apiKey = getenv('OWNPAY_API_KEY');
$baseUrl = getenv('OWNPAY_BASE_URL');
$payload = json_encode([
'gateway' => 'stripe',
'amount' => 99.99,
'currency' => 'USD',
'order_id' => 'ORDER-001',
'customer_name' => 'Jane Smith',
'customer_email' => 'jane@example.com',
'return_url' => 'https://yoursite.com/success',
]);
$opts = [
'http' => [
'method' => 'POST',
'header' => "Authorization: Bearer {$apiKey}\\r\\nContent-Type: application/json\\r\\n",
'content' => $payload,
],
];
$context = stream_context_create($opts);
$response = file_get_contents("{$baseUrl}/api/v1/payment-intents", false, $context);
$result = json_decode($response, true);
// Redirect customer to payment page
header("Location: {$result['payment_url']}");
exit;`;

export const nodeExample = `const response = await fetch(
\`\${process.env.OWNPAY_BASE_URL}/api/v1/payment-intents\`,
{
method: 'POST',
headers: {
'Authorization': \`Bearer \${process.env.OWNPAY_API_KEY}\`,
'Content-Type': 'application/json',
},
body: JSON.stringify({
gateway: 'stripe',
amount: 99.99,
currency: 'USD',
order_id: 'ORDER-001',
customer_name: 'Jane Smith',
customer_email: 'jane@example.com',
return_url: 'https://yoursite.com/success',
}),
}
);
const { payment_url } = await response.json();
res.redirect(payment_url);`;
