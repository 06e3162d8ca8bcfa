interface Credentials {
  /** The API's base address, without `/api/v1`. */
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

export type SampleLanguage = 'curl' | 'Node' | 'PHP' | 'Python';

const BODY = { amountMinor: 10_000, currency: 'BDT', customerReference: 'customer-1' };

/** Returns programs that create a payment of 100 BDT and print where it is paid. Each runs as it stands. */
export function samplesOf({ apiUrl, apiKey, apiSecret }: Credentials): Readonly<Record<SampleLanguage, string>> {
  const url = `${apiUrl}/api/v1/payments`;
  const json = JSON.stringify(BODY);
  return {
    curl: `curl -sS -X POST ${url} \\
  -H 'X-Api-Key: ${apiKey}' -H 'X-Api-Secret: ${apiSecret}' \\
  -H 'Content-Type: application/json' -H 'Idempotency-Key: order-1' \\
  -d '${json}'`,
    Node: `const answer = await fetch('${url}', {
  method: 'POST',
  headers: {
    'X-Api-Key': '${apiKey}',
    'X-Api-Secret': '${apiSecret}',
    'Content-Type': 'application/json',
    'Idempotency-Key': 'order-1',
  },
  body: JSON.stringify(${json}),
});
const { data } = await answer.json();
console.log(data.checkoutUrl);`,
    PHP: `<?php
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'header' => [
        'X-Api-Key: ${apiKey}',
        'X-Api-Secret: ${apiSecret}',
        'Content-Type: application/json',
        'Idempotency-Key: order-1',
    ],
    'content' => '${json}',
]]);
$answer = json_decode(file_get_contents('${url}', false, $context), true);
echo $answer['data']['checkoutUrl'], PHP_EOL;`,
    Python: `import json, urllib.request

request = urllib.request.Request(
    '${url}',
    data=b'${json}',
    headers={
        'X-Api-Key': '${apiKey}',
        'X-Api-Secret': '${apiSecret}',
        'Content-Type': 'application/json',
        'Idempotency-Key': 'order-1',
    },
)
print(json.load(urllib.request.urlopen(request))['data']['checkoutUrl'])`,
  };
}
