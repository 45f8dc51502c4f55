<?php
// C3, a PHP class of 2012 that went around: curl with an array, five seconds, XML made an array, in which one child is a
// map and several are a list. It sends `API=1.5` with `user_password`, and misspells a field.
require_once 'common.php';

class Sticky
{
    public function __construct(private array $job)
    {
    }

    public function send(string $type, array $fields): array
    {
        $all = [
            'user_id' => $this->job['user'],
            'user_password' => $this->job['key'],
            'account_id' => $this->job['account'],
            'type' => $type,
            'API' => '1.5',
        ] + $fields;
        return xml_array(curl_array($this->job['url'], $all, 5));
    }

    public function ask(string $type, array $fields): array
    {
        $reply = $this->send($type, $fields);
        if ($reply['@attributes']['status'] !== 'success') {
            throw new RuntimeException($reply['error']);
        }
        return $reply;
    }

    // A list, also where there is one of it.
    public static function each(array $list): array
    {
        return isset($list[0]) ? $list : [$list];
    }
}

if (basename($_SERVER['SCRIPT_NAME']) === 'c3.php') {
    $sticky = new Sticky($job);
    run($job, [
        'campaigns' => function ($with) use ($sticky) {
            $reply = $sticky->ask('campaigns_list', $with + ['searchField' => '', 'searchOper' => '', 'searchValue' => '',
                'sortField' => 'name', 'sortOrder' => 'desc', 'offset' => '0', 'length' => '']);
            return array_column(Sticky::each($reply['campaigns']['campaign']), 'name');
        },
        'who' => function ($with) use ($sticky) {
            $reply = $sticky->ask('customer_info', ['hide_customer_field' => 'Y', 'include_balances' => 'N'] + $with);
            return $reply['customer']['first_name'] . ' ' . $reply['customer']['last_name'];
        },
        'add' => function ($with) use ($sticky) {
            $receipt = $sticky->ask('record_activity', $with)['receipt'];
            return [$receipt['transaction']['amount'], $receipt['customer']['balance']['points']];
        },
        'take_back' => function ($with) use ($sticky) {
            return $sticky->ask('transaction_delete', $with)['transaction']['@attributes']['status'];
        },
    ]);
}
