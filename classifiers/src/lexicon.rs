//! What does a column, field or key mean by its name? The words of the languages that companies export tables in.

/// What a column holds, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Meaning {
    // Who
    FullName,
    FirstName,
    LastName,
    Email,
    Phone,
    NationalId,
    EmployeeId,
    Username,
    UserId,
    SessionId,
    DeviceId,
    Ip,
    // What an organisation records of its people
    Title,
    Department,
    Manager,
    HireDate,
    Salary,
    WorkPlace,
    EmploymentStatus,
    // What a person is
    BirthDate,
    Address,
    Gender,
    Iban,
    Card,
    // Who did what when
    Time,
    Action,
    Resource,
    Agent,
    Duration,
    // What tells a table apart from a directory of people
    Customer,
    Order,
    Author,
    Software,
    Survey,
    Machine,
    PublicOffice,
}

use Meaning::*;

/// Phrases by meaning, in lower case, words joined by `_`. The longest phrase in a name wins, then the first.
const PHRASES: &[(Meaning, &[&str])] = &[
    (
        FullName,
        &[
            "full_name", "name", "employee_name", "display_name", "legal_name", "preferred_name", "staff_name", "worker",
            "employee", "person", "person_name", "member_name", "contact_name", "mitarbeiter", "mitarbeitername", "vollname",
            "nom_complet", "nombre_completo", "empleado", "nome_completo", "dipendente", "medewerker", "naam",
            "volledige_naam", "imie_i_nazwisko", "pracownik", "namn", "navn", "nimi", "cn", "fn", "displayname", "fullname",
        ],
    ),
    (
        FirstName,
        &[
            "first_name", "given_name", "forename", "fname", "firstname", "givenname", "vorname", "prenom", "prénom", "nombre",
            "voornaam", "imie", "imię", "fornamn", "fornavn", "etunimi", "nome", "first",
        ],
    ),
    (
        LastName,
        &[
            "last_name", "surname", "family_name", "lname", "lastname", "nachname", "familienname", "nom", "nom_de_famille",
            "apellido", "apellidos", "cognome", "achternaam", "nazwisko", "efternamn", "etternavn", "sukunimi", "sobrenome",
            "apelido", "sn", "last",
        ],
    ),
    (
        Email,
        &[
            "email", "e_mail", "mail", "email_address", "work_email", "company_email", "corporate_email", "mail_address",
            "e_mail_adresse", "correo", "correo_electronico", "courriel", "adresse_mail", "posta_elettronica", "epost",
            "upn", "user_principal_name", "smtp",
        ],
    ),
    (
        Phone,
        &[
            "phone", "phone_number", "telephone", "telephone_number", "mobile", "mobile_number", "mobile_phone", "cell",
            "cell_phone", "work_phone", "business_phone", "extension", "desk_phone", "tel", "telefon", "telefonnummer",
            "handy", "telefono", "teléfono", "móvil", "movil", "téléphone", "portable", "telefoon", "mobiel", "celular",
            "msisdn", "fax", "contact_number",
        ],
    ),
    (
        NationalId,
        &[
            "ssn", "social_security", "social_security_number", "national_id", "national_insurance", "nino", "ni_number",
            "nhs", "nhs_number", "tax_id", "tin", "steuer_id", "steuer_identifikationsnummer", "steueridentifikationsnummer",
            "steuernummer", "idnr", "nir", "numero_secu", "insee", "codice_fiscale", "cf", "dni", "nie", "nif", "bsn",
            "burgerservicenummer", "rijksregisternummer", "niss", "nrn", "pesel", "personnummer", "sin",
            "social_insurance_number", "tfn", "tax_file_number", "aadhaar", "aadhar", "uid_number", "cpf", "hetu",
            "henkilotunnus", "pps", "ppsn", "fodselsnummer", "ahv", "cnp", "oib", "egn", "isikukood", "asmens_kodas",
            "personal_code", "rodne_cislo", "amka", "passport", "passport_number", "identity_number", "id_card",
            "sozialversicherungsnummer", "cpr", "govt_id", "government_id",
        ],
    ),
    (
        EmployeeId,
        &[
            "employee_id", "emp_id", "employee_number", "employee_no", "emp_no", "empid", "staff_id", "staff_number",
            "worker_id", "personnel_number", "personalnummer", "matricule", "matricola", "numero_empleado", "personeelsnummer",
            "badge", "badge_id", "payroll_id", "payroll_number", "eid", "employeeid", "anstallningsnummer",
        ],
    ),
    (Username, &["username", "user_name", "login", "login_name", "sam_account_name", "samaccountname", "user", "account_name", "uid"]),
    (
        UserId,
        &[
            "user_id", "userid", "customer_id", "member_id", "account_id", "client_id", "visitor_id", "anonymous_id",
            "distinct_id", "profile_id", "viewer_id", "subscriber_id", "person_id", "player_id", "uuid", "guid", "cid",
            "identity", "principal", "principal_id", "actor", "actor_id", "subject", "sub", "user_pseudo_id", "remote_user",
            "requester", "auth_user",
        ],
    ),
    (SessionId, &["session_id", "session", "sessionid", "sid", "visit_id", "session_token", "cookie", "cookie_id", "ga_session_id"]),
    (DeviceId, &["device_id", "device", "idfa", "idfv", "gaid", "aaid", "advertising_id", "imei", "android_id", "installation_id", "fingerprint", "mac_address"]),
    (Ip, &["ip", "ip_address", "client_ip", "remote_addr", "remote_ip", "source_ip", "src_ip", "c_ip", "remote_host", "x_forwarded_for", "ipaddress", "client_addr", "source_ip_address"]),
    (
        Title,
        &[
            "title", "job_title", "position", "role", "job", "occupation", "designation", "job_role", "business_title",
            "jobtitle", "stelle", "stellenbezeichnung", "berufsbezeichnung", "poste", "fonction", "intitule_de_poste",
            "puesto", "cargo", "ruolo", "mansione", "qualifica", "functie", "stanowisko", "befattning", "grade", "job_level",
            "level", "job_family",
        ],
    ),
    (
        Department,
        &[
            "department", "dept", "team", "division", "business_unit", "org_unit", "organizational_unit", "cost_center",
            "cost_centre", "department_name", "abteilung", "bereich", "kostenstelle", "departement", "département",
            "departamento", "reparto", "ufficio", "afdeling", "dzial", "dział", "avdelning", "ou", "org", "squad",
        ],
    ),
    (
        Manager,
        &[
            "manager", "manager_name", "manager_email", "manager_id", "supervisor", "reports_to", "line_manager",
            "reporting_manager", "boss", "vorgesetzter", "vorgesetzte", "responsable", "superieur", "jefe", "supervisore",
            "leidinggevende", "przelozony", "chef", "direct_reports",
        ],
    ),
    (
        HireDate,
        &[
            "hire_date", "start_date", "date_of_hire", "hired", "hired_on", "joining_date", "join_date", "date_joined",
            "joined", "employment_date", "termination_date", "end_date", "eintrittsdatum", "eintritt", "einstellungsdatum",
            "date_embauche", "date_d_embauche", "fecha_contratacion", "fecha_de_contratacion", "fecha_ingreso",
            "data_assunzione", "datum_in_dienst", "data_zatrudnienia", "anstallningsdatum", "hiredate", "tenure",
        ],
    ),
    (
        Salary,
        &[
            "salary", "base_salary", "annual_salary", "compensation", "pay", "pay_rate", "wage", "hourly_rate", "bonus",
            "gross_pay", "net_pay", "total_comp", "payroll", "gehalt", "jahresgehalt", "lohn", "salaire", "salario",
            "sueldo", "stipendio", "salaris", "wynagrodzenie", "lon", "lön", "ote", "equity", "annual_pay", "monthly_salary",
        ],
    ),
    (WorkPlace, &["office", "location", "work_location", "site", "building", "desk", "floor", "room", "standort", "bureau", "oficina", "sede", "kantoor", "vestiging", "workplace"]),
    (EmploymentStatus, &["employment_type", "employment_status", "contract_type", "worker_type", "employee_type", "fte", "contract", "beschaftigungsgrad", "vertragsart", "performance_rating", "performance", "leave_balance", "pto_balance", "vacation_days", "sick_days"]),
    (BirthDate, &["birth_date", "date_of_birth", "dob", "birthday", "birthdate", "geburtsdatum", "geburtstag", "date_de_naissance", "date_naissance", "fecha_de_nacimiento", "fecha_nacimiento", "data_di_nascita", "geboortedatum", "data_urodzenia", "fodelsedatum", "bday"]),
    (Address, &["address", "home_address", "street", "street_address", "address_line_1", "address_line_2", "address1", "address2", "postal_address", "mailing_address", "residence", "adresse", "anschrift", "strasse", "straße", "direccion", "dirección", "indirizzo", "adres", "zip", "zip_code", "zipcode", "postal_code", "postcode", "plz", "adr"]),
    (Gender, &["gender", "sex", "ethnicity", "marital_status", "nationality", "religion", "geschlecht", "sexe", "genero", "genere", "geslacht", "plec", "emergency_contact"]),
    (Iban, &["iban", "bank_account", "account_number", "bank_account_number", "bank_details", "kontonummer", "bankverbindung", "compte_bancaire", "cuenta_bancaria", "conto_corrente", "rekeningnummer", "sort_code", "routing_number"]),
    (Card, &["card_number", "credit_card", "credit_card_number", "card", "pan", "cc_number", "ccnum", "payment_card", "kreditkarte"]),
    (
        Time,
        &[
            "timestamp", "time", "ts", "datetime", "event_time", "event_timestamp", "created_at", "occurred_at", "logged_at",
            "received_at", "sent_at", "date", "server_time", "client_time", "request_time", "date_time", "at", "when",
            "created", "updated_at", "eventtime", "event_date", "login_time", "last_login", "started_at", "ended_at",
            "start_time", "end_time", "visit_time", "seen_at", "time_local", "last_seen", "original_timestamp",
        ],
    ),
    (
        Action,
        &[
            "event", "event_name", "event_type", "action", "activity", "event_action", "operation", "eventname", "verb",
            "interaction", "click", "clicked", "clicks", "page_view", "pageview", "method", "http_method", "search_query",
            "search", "query", "command", "type_of_event", "activity_type", "event_category", "status_code", "http_status",
            "event_label", "cs_method", "sc_status", "request", "track", "impression", "purchase",
        ],
    ),
    (
        Resource,
        &[
            "url", "page", "path", "uri", "page_url", "page_path", "referrer", "referer", "screen", "screen_name", "endpoint",
            "resource", "link", "landing_page", "request_uri", "request_path", "page_title", "cs_uri_stem", "target", "route",
            "element", "button", "content_id", "video_id", "product_id", "item_id", "sku", "object_key", "file_name",
        ],
    ),
    (Agent, &["user_agent", "useragent", "browser", "os", "platform", "device_type", "http_user_agent", "app_version", "cs_user_agent"]),
    (Duration, &["duration", "duration_ms", "dwell_time", "time_on_page", "session_duration", "session_length", "latency_ms", "scroll_depth", "elapsed_ms"]),
    (Customer, &["customer", "customer_name", "client", "client_name", "lead", "prospect", "subscriber", "opportunity", "deal", "crm", "donor", "patient", "patient_id", "student", "student_id", "guest", "buyer", "shopper", "passenger", "tenant", "opt_in", "unsubscribed", "newsletter", "loyalty_points", "loyalty_tier", "churn", "lifetime_value", "plan", "subscription", "kunde", "cliente", "klient", "klant", "lead_source", "utm_source", "utm_campaign"]),
    (Order, &["order", "order_id", "order_number", "invoice", "invoice_id", "invoice_number", "shipping_address", "billing_address", "shipping", "cart", "quantity", "price", "total_price", "tracking_number", "payment_method", "order_date", "order_total", "discount_code", "last_purchase", "total_spent", "orders_count"]),
    (Author, &["author", "authors", "author_name", "author_email", "committer", "committer_name", "committer_email", "maintainer", "maintainers", "contributor", "contributors", "commit", "commit_hash", "commit_sha", "reviewer", "publisher", "artist", "doi", "isbn", "journal"]),
    (Software, &["package", "package_name", "version", "repository", "repo", "license", "licence", "homepage", "dependency", "module", "crate", "library", "changelog", "pull_request", "branch", "downloads", "stars", "forks", "bug", "issue"]),
    (Survey, &["respondent", "respondent_id", "response_id", "survey", "survey_id", "years_of_experience", "experience_level", "age_range", "age_group", "salary_range", "salary_band", "industry", "education_level", "remote_ratio", "company_size"]),
    (Machine, &["hostname", "host", "server", "node", "pod", "container", "container_id", "cpu", "memory", "disk", "metric", "sensor", "sensor_id", "pid", "thread", "logger", "level", "instance_id", "cluster", "namespace", "service", "trace_id", "span_id", "temperature", "voltage", "value", "unit"]),
    (PublicOffice, &["party", "constituency", "senator", "representative", "congress", "chamber", "bioguide_id", "electoral_district", "ministry", "legislature", "term_start", "term_end", "mandate"]),
];

/// Words that say nothing by themselves but stand in names of columns, sheets and files that may be shown.
const PLAIN_WORDS: &[&str] = &[
    "row", "column", "sheet", "sheet1", "sheet2", "sheet3", "table", "page", "slide", "line", "id", "number", "no", "nr", "code",
    "list", "data", "export", "report", "staff", "employees", "people", "users", "members", "directory", "contacts", "hr", "work",
    "home", "personal", "primary", "secondary", "business", "company", "corporate", "current", "new", "old", "all", "of", "and",
    "the", "in", "to", "notes", "comment", "comments", "description", "status", "country", "city", "state", "region", "properties",
    "context", "body", "attachment", "document", "events", "event", "log", "logs", "sessions", "salaries", "payroll",
];

/// What a column means by its name, if its name says anything.
pub(crate) fn meaning(header: &str) -> Option<Meaning> {
    let name = normalised(header);
    let mut best: Option<(usize, Meaning)> = None;
    for (meaning, phrases) in PHRASES {
        for phrase in *phrases {
            if best.is_none_or(|(length, _)| phrase.len() > length) && contains_phrase(&name, phrase) {
                best = Some((phrase.len(), *meaning));
            }
        }
    }
    best.map(|(_, meaning)| meaning)
}

/// Whether every word of a name stands in this lexicon, so that showing it tells nothing of the content.
pub(crate) fn is_header_word(text: &str) -> bool {
    let name = normalised(text);
    !name.is_empty()
        && name.split('_').all(|word| {
            (word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit()))
                || PLAIN_WORDS.contains(&word)
                || PHRASES.iter().flat_map(|(_, phrases)| *phrases).any(|phrase| contains_phrase(phrase, word))
        })
}

/// Lower case, words joined by one `_`, camel case split; at most 64 characters of it.
fn normalised(header: &str) -> String {
    let mut name = String::with_capacity(header.len().min(80));
    let mut before = ' ';
    for c in header.trim().chars().take(64) {
        if c.is_alphanumeric() {
            if c.is_uppercase() && before.is_lowercase() {
                name.push('_');
            }
            name.extend(c.to_lowercase());
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
        before = c;
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

/// Whether `phrase` stands in `name` at the borders of words.
fn contains_phrase(name: &str, phrase: &str) -> bool {
    name.match_indices(phrase).any(|(at, _)| {
        let end = at + phrase.len();
        (at == 0 || name.as_bytes().get(at - 1) == Some(&b'_'))
            && (end == name.len() || name.as_bytes().get(end) == Some(&b'_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_say_what_they_hold() {
        for (header, expected) in [
            ("Employee Name", Some(FullName)),
            ("firstName", Some(FirstName)),
            ("Work E-Mail", Some(Email)),
            ("manager_email", Some(Manager)),
            ("properties.user_id", Some(UserId)),
            ("Geburtsdatum", Some(BirthDate)),
            ("customer_name", Some(Customer)),
            ("Author Email", Some(Author)),
            ("SSN", Some(NationalId)),
            ("eventTime", Some(Time)),
            ("Job Title", Some(Title)),
            ("frobnication", None),
            ("unnamed", None),
        ] {
            assert_eq!(meaning(header), expected, "{header}");
        }
    }

    #[test]
    fn only_known_words_may_be_shown() {
        assert!(is_header_word("Work Phone 2"));
        assert!(!is_header_word("Jane Doe"));
        assert!(!is_header_word("salary of Jane"));
        assert!(!is_header_word(""));
    }
}
