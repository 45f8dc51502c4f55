<?php
// A legacy shop's client, in the habits that such clients have. It gets a job as JSON on standard input (address, how
// to send, the fields) and prints what it read from the reply as JSON.
$job = json_decode(stream_get_contents(STDIN), true);
$data = $job['fields'];

switch ($job['how']) {
    case 'array':       // an array makes curl send multipart/form-data, with Expect: 100-continue when it is large
    case 'string':      // a string makes it send application/x-www-form-urlencoded
        $curl = curl_init();
        curl_setopt($curl, CURLOPT_URL, $job['url']);
        curl_setopt($curl, CURLOPT_POST, true);
        curl_setopt($curl, CURLOPT_POSTFIELDS, $job['how'] === 'array' ? $data : http_build_query($data));
        curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
        curl_setopt($curl, CURLOPT_TIMEOUT, 60);
        if (isset($job['header'])) {
            curl_setopt($curl, CURLOPT_HTTPHEADER, [$job['header']]);
        }
        $result = curl_exec($curl);
        $error = curl_error($curl);
        break;
    case 'get':
        $result = file_get_contents($job['url'] . '?' . http_build_query($data));
        $error = '';
        break;
    case 'stream':
        $context = stream_context_create(['http' => [
            'method' => 'POST',
            'header' => 'Content-Type: application/x-www-form-urlencoded',
            'content' => http_build_query($data),
        ]]);
        $result = file_get_contents($job['url'], false, $context);
        $error = '';
        break;
}

$read = ['error' => $error];
if (($job['output'] ?? 'XML') === 'JSON') {
    $read['reply'] = json_decode($result, true);
} else {
    $xml = simplexml_load_string($result);
    $read['status'] = (string) $xml['status'];
    $read['reply'] = json_decode(json_encode($xml), true);
    // Vendor code does this to every body, because the old service did not escape.
    $twice = simplexml_load_string(str_replace('&', '&amp;', $result));
    $read['twice'] = $twice === false ? false : json_decode(json_encode($twice), true);
}
echo json_encode($read);
