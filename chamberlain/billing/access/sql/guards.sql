-- Who was let in and who was not is a record: it is never changed.

CREATE FUNCTION access_keep_entrance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'An entrance is never changed or deleted.' USING ERRCODE = 'LG005';
END $$;

CREATE TRIGGER access_entrance_kept BEFORE UPDATE OR DELETE ON access_entrance
    FOR EACH ROW EXECUTE FUNCTION access_keep_entrance();
