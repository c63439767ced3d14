-- The office may read balances but not write them, so it locks them through this function.
-- By id, so that two operations never wait for each other in a circle.
CREATE FUNCTION ledger_lock_balances(account_ids bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM ledger_balance WHERE account_id = ANY(account_ids)
        ORDER BY account_id FOR NO KEY UPDATE;
END $$;
