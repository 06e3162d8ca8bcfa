<?php
// A webhook receiver on PHP 8. WEBHOOK_SECRET is the app's signing secret for one mode, whsec_…, WEBHOOK_MODE that mode: LIVE, unless it is
// TEST. STATE_FILE is a file outside the web root. Try it: WEBHOOK_SECRET=… STATE_FILE=/tmp/state.json php -S 127.0.0.1:4000 receiver.php
function is_genuine(string $key, string $body): bool {
    [$id, $sentAt] = [$_SERVER['HTTP_WEBHOOK_ID'] ?? '', $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? ''];
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
    if ($event['sequence'] <= ($state['newest'][$event['subject']] ?? 0)) return 'stale'; // A later state was seen already.
    $state['newest'][$event['subject']] = $event['sequence'];
    return 'accepted'; // Act on $event['type'] and $event['data'] here.
}

function answer(int $status, string $answer, array $event = []): never {
    $told = array_map(fn ($name) => $event[$name] ?? '-', ['mode', 'type', 'subject', 'sequence', 'id']);
    error_log("$answer " . implode(' ', $told)); // php -S prints it; elsewhere it goes to the server's log.
    http_response_code($status);
    exit($answer);
}

$key = base64_decode(preg_replace('/^whsec_/', '', getenv('WEBHOOK_SECRET') ?: ''), true);
$body = file_get_contents('php://input'); // The raw bytes: parsed and written again they would not match.
if ($key === false || strlen($key) < 24 || !is_genuine($key, $body)) answer(401, 'bad signature');
$event = json_decode($body, true, 512, JSON_THROW_ON_ERROR);
if ($event['mode'] !== (getenv('WEBHOOK_MODE') ?: 'LIVE')) answer(400, 'wrong mode', $event); // Never ship for a TEST payment.
// A shop keeps this in its database, in the transaction that acts on the event; here a locked file stands for it.
$file = fopen(getenv('STATE_FILE'), 'c+');
flock($file, LOCK_EX);
$state = json_decode(stream_get_contents($file), true) ?? ['seen' => [], 'newest' => []];
$answer = accept($state, $event);
rewind($file) && fwrite($file, json_encode($state));
answer(200, $answer, $event);
