<?php
// A webhook receiver on PHP 8. WEBHOOK_SECRET is the app's signing secret, whsec_…, STATE_FILE a file outside the web root.
// Try it: PORT=4000; WEBHOOK_SECRET=… STATE_FILE=/tmp/state.json php -S 127.0.0.1:$PORT receiver.php
function is_genuine(string $key, string $body): bool {
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $sentAt = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if ($id === '' || !ctype_digit($sentAt) || abs(time() - (int) $sentAt) > 300) return false;
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$sentAt.$body", $key, true));
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $given) {
        if (hash_equals($expected, $given)) return true;
    }
    return false;
}

function accept(array &$state, array $event): string {
    if (isset($state['seen'][$event['id']])) return 'duplicate';
    $state['seen'][$event['id']] = true;
    $payment = $event['data']['id'];
    if ($event['sequence'] <= ($state['newest'][$payment] ?? 0)) return 'stale'; // A later state was seen already.
    $state['newest'][$payment] = $event['sequence'];
    return 'accepted'; // Act on $event['type'] and $event['data'] here.
}

$key = base64_decode(preg_replace('/^whsec_/', '', getenv('WEBHOOK_SECRET') ?: ''), true);
$body = file_get_contents('php://input'); // The raw bytes: parsed and written again they would not match.
if ($key === false || strlen($key) < 24 || !is_genuine($key, $body)) {
    http_response_code(401);
    exit('bad signature');
}
// A shop keeps this in its database, in the transaction that acts on the event; here a locked file stands for it.
$file = fopen(getenv('STATE_FILE'), 'c+');
flock($file, LOCK_EX);
$state = json_decode(stream_get_contents($file), true) ?? ['seen' => [], 'newest' => []];
$answer = accept($state, json_decode($body, true, 512, JSON_THROW_ON_ERROR));
rewind($file);
fwrite($file, json_encode($state));
echo $answer;
