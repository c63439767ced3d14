-- What somebody set out to pay, and what the provider told of it, is never changed.

CREATE FUNCTION hosted_keep_notice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A notice of the payment provider is never changed or deleted.'
        USING ERRCODE = 'LG005';
END $$;

CREATE TRIGGER hosted_notice_kept BEFORE UPDATE OR DELETE ON hosted_notice
    FOR EACH ROW EXECUTE FUNCTION hosted_keep_notice();

CREATE FUNCTION hosted_keep_intent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status = 'posted'
        OR (NEW.reference, NEW.account_id, NEW.held_since, NEW.cents, NEW.currency)
            IS DISTINCT FROM
            (OLD.reference, OLD.account_id, OLD.held_since, OLD.cents, OLD.currency)
    THEN
        RAISE EXCEPTION 'What was set out to be paid is never changed; start another payment.'
            USING ERRCODE = 'LG005';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER hosted_intent_kept BEFORE UPDATE OR DELETE ON hosted_intent
    FOR EACH ROW EXECUTE FUNCTION hosted_keep_intent();
