-- A letter is what was sent: it is never changed or taken away.
CREATE TRIGGER letters_letter_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON letters_letter
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
