-- wrk: POSTs of LINES lines each, made before the clock starts, from a fixed seed: every run sends the same requests.
--
-- CUSTOMERS  a file with a line "account user key code" for each customer; requests take the accounts in turn
-- LINES      lines of each POST
-- KIND       batch; or activity: record_activity; or balance: customer_balance without transactions
-- HOT        1: every line is for the first customer of its account
-- RATE       posts a second over all connections; without it, as many as there are answers

local LINES = tonumber(os.getenv("LINES"))
local KIND = os.getenv("KIND") or "batch"
local HOT = os.getenv("HOT") == "1"
local RATE = tonumber(os.getenv("RATE") or "0")
local POOL = math.max(40, math.floor(20000 / LINES))
local CAMPAIGN = "1000000000000001"
local CALLER = "API=1.5&account_id=%s&user_id=%s&user_api_key=%s&type="
local HEADS = {
  batch = "batch_transactions&delimiter=pipe&apply_ratio=no"
    .. "&visits_header_1=campaign_id&visits_header_2=code&visits_header_3=redeemed&visits_header_4=amount"
    .. "&visits_header_5=date&visits_header_6=authorization&visits_header_7=promo_id&Visits_Data=",
  activity = "record_activity&campaign_id=" .. CAMPAIGN,
  balance = "customer_balance&transactions_number=0&campaign_id=" .. CAMPAIGN,
}
local HEAD = CALLER .. HEADS[KIND]

local function read_accounts()
  local accounts, by_id = {}, {}
  for line in io.lines(os.getenv("CUSTOMERS")) do
    local id, user, key, code = line:match("(%S+) (%S+) (%S+) (%S+)")
    if not by_id[id] then
      by_id[id] = { head = HEAD:format(id, user, key), codes = {} }
      accounts[#accounts + 1] = by_id[id]
    end
    local codes = by_id[id].codes
    if not HOT or #codes == 0 then codes[#codes + 1] = code end
  end
  return accounts
end

-- One line in ten redeems.
local function line(codes, nth)
  local code = codes[math.random(#codes)]
  local redeems = math.random(10) == 10
  local amount = redeems and tostring(math.random(50)) or ("%d.%02d"):format(math.random(199), math.random(0, 99))
  return ("%s%%7C%s%%7C%s%%7C%s%%7C2025-%02d-%02d%%7Creceipt+%d%%7C"):format(CAMPAIGN, code, redeems and "Y" or "N",
    amount, math.random(12), math.random(28), nth)
end

local BODIES = {
  batch = function(codes)
    local lines = {}
    for nth = 1, LINES do lines[nth] = line(codes, nth) end
    return table.concat(lines, "%0A")
  end,
  activity = function(codes)
    return ("&code=%s&amount=%d.%02d&authorization=receipt"):format(codes[math.random(#codes)], math.random(199),
      math.random(0, 99))
  end,
  balance = function(codes)
    return "&code=" .. codes[math.random(#codes)]
  end,
}

function init()
  math.randomseed(15)
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  local accounts = read_accounts()
  pool, at = {}, 0
  for k = 1, POOL do
    local account = accounts[(k - 1) % #accounts + 1]
    pool[k] = wrk.format("POST", "/api.php", nil, account.head .. BODIES[KIND](account.codes))
  end
end

function request()
  at = at % POOL + 1
  return pool[at]
end

if RATE > 0 then
  local ffi = require("ffi")
  ffi.cdef("typedef struct { long s, ns; } moment; int clock_gettime(int clock, moment *now);")
  local now, due = ffi.new("moment"), 0

  -- Milliseconds until this connection's next post is due; one that is late goes at once.
  function delay()
    ffi.C.clock_gettime(1, now)
    local ms = tonumber(now.s) * 1000 + tonumber(now.ns) / 1e6
    due = (due == 0 and ms or due) + 1000 / RATE
    return math.max(0, math.floor(due - ms))
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(('\nRESULT {"requests": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "max": %.3f, "errors": %d}\n'):format(
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3, errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
