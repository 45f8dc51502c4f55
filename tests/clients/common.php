<?php
// What the models of PHP clients share. A model gets a job as JSON on standard input: the address, the account, the user,
// the key, what to do (`do`) and with what (`with`). It prints as JSON what it read of the reply, and what it can do at
// all. Where it cannot read the reply it ends with 1, as its application would end with an error page: a warning is an
// exception here.
set_error_handler(function ($level, $text) {
    throw new ErrorException($text, 0, $level);
});
set_exception_handler(function ($exception) {
    fwrite(STDERR, get_class($exception) . ': ' . $exception->getMessage() . "\n");
    exit(1);
});

$job = json_decode(stream_get_contents(STDIN), true);

// Does what the job says, with functions by name.
function run(array $job, array $known): void
{
    $read = $known[$job['do']]($job['with']);
    echo json_encode(['read' => $read, 'can' => array_keys($known)]);
}

// What most PHP clients of the service have: curl with an array, which makes it multipart/form-data.
function curl_array(string $url, array $fields, int $seconds): string
{
    $curl = curl_init();
    curl_setopt($curl, CURLOPT_URL, $url);
    curl_setopt($curl, CURLOPT_POST, true);
    curl_setopt($curl, CURLOPT_POSTFIELDS, $fields);
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
    curl_setopt($curl, CURLOPT_SSL_VERIFYPEER, false);
    curl_setopt($curl, CURLOPT_TIMEOUT, $seconds);
    $body = curl_exec($curl);
    if ($body === false) {
        throw new RuntimeException(curl_error($curl));
    }
    return $body;
}

// XML as an array: one child is a map, several are a list.
function xml_array(string $body): array
{
    $xml = simplexml_load_string($body);
    if ($xml === false) {
        throw new RuntimeException('no XML');
    }
    return json_decode(json_encode($xml), true);
}
