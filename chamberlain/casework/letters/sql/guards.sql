-- A letter stays as it was sent; the wording of a template's version stays as it was proposed.

CREATE FUNCTION letters_keep_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A letter stays as it was sent; write another one.' USING ERRCODE = 'LG005';
END $$;

CREATE TRIGGER letters_letter_kept BEFORE UPDATE OR DELETE ON letters_letter
    FOR EACH ROW EXECUTE FUNCTION letters_keep_sent();

CREATE FUNCTION letters_keep_wording() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'proposed'
        AND (NEW.id, NEW.code, NEW.name, NEW.language, NEW.version, NEW.starts_on, NEW.subject,
            NEW.body, NEW.source, NEW.is_of_city, NEW.written_by_id, NEW.written_at)
        IS NOT DISTINCT FROM (OLD.id, OLD.code, OLD.name, OLD.language, OLD.version,
            OLD.starts_on, OLD.subject, OLD.body, OLD.source, OLD.is_of_city, OLD.written_by_id,
            OLD.written_at) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A version of a template is never changed; propose another one.'
        USING ERRCODE = 'LG005';
END $$;

CREATE TRIGGER letters_template_kept BEFORE UPDATE OR DELETE ON letters_template
    FOR EACH ROW EXECUTE FUNCTION letters_keep_wording();
