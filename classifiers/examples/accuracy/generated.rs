//! Which generated objects hold what, and which only look as if they did?

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spillwatch_classifiers::Category;
use spillwatch_classifiers::Category::{Credential, EmployeePii, InteractionMetadata};

use crate::corpus::{self, Random};

/// An object and what must be found in it.
pub struct Case {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub expected: &'static [Category],
}

type Make = fn(&mut Random) -> String;

const DEPARTMENTS: &[&str] = &["Finance", "Engineering", "People", "Legal"];
const MAKERS: &[(&str, &[Category], Make)] = &[
    ("people.tsv", &[EmployeePii], |r| people(r, '\t', "Name\tE-Mail\tPhone\tTitle\tDepartment\n")),
    ("export-without-header", &[EmployeePii], |r| people(r, ';', "")),
    ("mitarbeiter.csv", &[EmployeePii], german),
    ("staff.json", &[EmployeePii], |r| {
        format!("{{\"company\":\"acme\",\"employees\":[{}]}}", records(r, ",\n"))
    }),
    ("staff.jsonl", &[EmployeePii], |r| records(r, "\n")),
    ("team.md", &[EmployeePii], markdown),
    ("payroll", &[EmployeePii], payroll),
    ("memo.txt", &[EmployeePii], memo),
    ("contacts.sql", &[EmployeePii], sql),
    ("names-in-two-columns.csv", &[EmployeePii], two_names),
    ("orders.csv", &[], orders),
    ("git-log.txt", &[], git_log),
    ("package.json", &[], package),
    ("CHANGELOG.md", &[], changelog),
    ("salary-survey.csv", &[], survey),
    ("products.csv", &[], products),
    ("sensors.csv", &[], sensors),
    ("users-test-data.csv", &[], test_data),
    ("uuids.txt", &[], uuids),
    ("logs.gz.b64", &[], |r| STANDARD.encode(corpus::gz(r, 60_000))),
    ("digests.txt", &[], |r| rows(400, |_| format!("{:032x}{:032x}\n", wide(r), wide(r)))),
    ("cities.csv", &[], cities),
    ("main.c", &[], source),
    ("events.csv", &[InteractionMetadata], events),
    ("auth.log", &[InteractionMetadata], auth_log),
    ("app.log", &[InteractionMetadata], app_log),
    ("tracking.json", &[InteractionMetadata], |r| format!("[{}]", tracking(r).trim_end_matches(",\n"))),
    ("metrics.csv", &[], metrics),
    ("build.log", &[], build_log),
    ("kernel.log", &[], kernel_log),
    (".env", &[Credential], dot_env),
    ("credentials", &[Credential], aws_credentials),
    ("id_ed25519", &[Credential], |r| pem(r, "OPENSSH PRIVATE KEY")),
    ("service-account.json", &[Credential], service_account),
    ("config.yaml", &[Credential], config),
    ("deploy.sh", &[Credential], |r| {
        format!(
            "#!/bin/sh\nexport SLACK=xoxb-{}-{}-{}\ncurl https://x.example\n",
            number(r, 11),
            number(r, 12),
            random(r, 24)
        )
    }),
    (".env.example", &[], |_| {
        "DB_PASSWORD=changeme\nAPI_KEY=your-api-key-here\nSECRET_KEY=${SECRET_KEY}\nAWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n".to_owned()
    }),
    ("cert.pem", &[], |r| pem(r, "CERTIFICATE")),
    ("id_rsa.pub.pem", &[], |r| pem(r, "PUBLIC KEY")),
    ("package-lock.json", &[], lockfile),
    ("docs-on-auth.md", &[], docs),
];

/// Every case, each several times with other content.
pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for seed in 0..5 {
        for (name, expected, make) in MAKERS {
            let bytes = make(&mut Random(seed * 1000 + all.len() as u64)).into_bytes();
            all.push(Case { name, bytes, expected });
        }
        for (kind, make, _, _) in corpus::KINDS {
            let expected: &[Category] = match *kind {
                "hr_csv" => &[EmployeePii],
                "clickstream" => &[InteractionMetadata],
                // Random letters of base64 are what a printed cipher's output looks like.
                "ciphertext" | "base64" => &[Category::EncryptedBlob],
                // Web servers' lines have no user, and addresses alone are counted; half of the logs are machines'.
                "logs" | "gz" => continue,
                _ => &[],
            };
            all.push(Case { name: kind, bytes: make(&mut Random(seed + 77), 200_000), expected });
        }
    }
    all
}

fn wide(r: &mut Random) -> u128 {
    u128::from(r.word()) << 64 | u128::from(r.word())
}

fn rows(count: usize, row: impl FnMut(usize) -> String) -> String {
    (0..count).map(row).collect()
}

fn random(r: &mut Random, length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..length).map(|_| char::from(ALPHABET.get(r.below(62) as usize).copied().unwrap_or(b'A'))).collect()
}

fn number(r: &mut Random, digits: usize) -> String {
    (0..digits).map(|i| char::from(b'1' + (r.below(9) as u8).min(8) * u8::from(i > 0))).collect()
}

fn email(first: &str, last: &str, i: usize, domain: &str) -> String {
    format!("{}.{}{i}@{domain}", first.to_lowercase(), last.to_lowercase())
}

fn people(r: &mut Random, delimiter: char, header: &str) -> String {
    let mut out = header.to_owned();
    for i in 0..60 {
        let (first, last) = corpus::name(r);
        let cells = [
            format!("{first} {last}"),
            email(first, last, i, "acme.example"),
            format!("+49 30 9018{:04}", r.below(10_000)),
            "Engineer II".to_owned(),
            r.pick(DEPARTMENTS).to_owned(),
        ];
        out += &cells.join(&delimiter.to_string());
        out.push('\n');
    }
    out
}

fn german(r: &mut Random) -> String {
    "Personalnummer;Vorname;Nachname;Abteilung;Eintrittsdatum;Gehalt\n".to_owned()
        + &rows(80, |i| {
            let (first, last) = corpus::name(r);
            format!(
                "{};{first};{last};{};1{}.04.2019;{}.000,00\n",
                4000 + i,
                r.pick(DEPARTMENTS),
                i % 9,
                40 + i % 40
            )
        })
}

fn records(r: &mut Random, between: &str) -> String {
    let all: Vec<String> = (0..40)
        .map(|i| {
            let (first, last) = corpus::name(r);
            format!(
                r#"{{"id":{i},"name":{{"first":"{first}","last":"{last}"}},"workEmail":"{}","jobTitle":"Counsel","department":"{}","startDate":"2021-03-{:02}"}}"#,
                email(first, last, i, "acme.example"),
                r.pick(DEPARTMENTS),
                i % 28 + 1
            )
        })
        .collect();
    all.join(between)
}

fn markdown(r: &mut Random) -> String {
    let mut out = "# Who is who\n\nAll of us, by team.\n\n| Name | Role | Team | E-mail |\n|------|------|------|-------|\n".to_owned();
    for i in 0..25 {
        let (first, last) = corpus::name(r);
        let _ = writeln!(
            out,
            "| {first} {last} | Engineer | {} | {} |",
            r.pick(DEPARTMENTS),
            email(first, last, i, "acme.example")
        );
    }
    out
}

fn payroll(r: &mut Random) -> String {
    "Employee,SSN,Gross pay,Net pay,Date of birth\n".to_owned()
        + &rows(50, |i| {
            let (first, last) = corpus::name(r);
            format!(
                "\"{last}, {first}\",{:03}-{:02}-{:04},{}.50,{}.10,19{}-05-1{}\n",
                100 + i,
                11 + i,
                2000 + i,
                4000 + i,
                3000 + i,
                60 + i % 40,
                i % 9
            )
        })
}

fn memo(r: &mut Random) -> String {
    let (first, last) = corpus::name(r);
    format!(
        "To: human resources\n\nPlease set up payroll for our new hire {first} {last}. The employee's social security number is \
         5{}6-22-8941, and the salary goes to DE89 3704 0044 0532 0130 00 from the first of the month. Reach them at \
         +1 415-555-01{:02}.\n\nThe manager has signed the contract of employment.\n",
        r.below(9),
        r.below(99)
    )
}

fn sql(r: &mut Random) -> String {
    let mut out =
        "CREATE TABLE employees (id int, full_name text, email text, department text, hire_date date);\n"
            .to_owned();
    out += "INSERT INTO `employees` (`id`,`full_name`,`email`,`department`,`hire_date`) VALUES ";
    let values: Vec<String> = (0..40)
        .map(|i| {
            let (first, last) = corpus::name(r);
            format!(
                "({i},'{first} {last}','{}','{}','2020-01-{:02}')",
                email(first, last, i, "acme.example"),
                r.pick(DEPARTMENTS),
                i % 28 + 1
            )
        })
        .collect();
    out + &values.join(",") + ";\n"
}

fn two_names(r: &mut Random) -> String {
    "First Name,Last Name,Manager,Office,Start Date\n".to_owned()
        + &rows(60, |i| {
            let ((first, last), (boss, chief)) = (corpus::name(r), corpus::name(r));
            format!("{first},{last},{boss} {chief},Berlin,2018-0{}-01\n", i % 9 + 1)
        })
}

fn orders(r: &mut Random) -> String {
    "order_id,customer_name,customer_email,shipping_address,total_price\n".to_owned()
        + &rows(80, |i| {
            let (first, last) = corpus::name(r);
            let domain = r.pick(&["gmail.com", "web.de", "outlook.com", "post.example"]);
            format!(
                "{i},{first} {last},{},\"{i} Main St\",{}.99\n",
                email(first, last, i, domain),
                r.below(300)
            )
        })
}

fn git_log(r: &mut Random) -> String {
    rows(60, |i| {
        let (first, last) = corpus::name(r);
        format!(
            "commit {:016x}{:016x}{:08x}\nAuthor: {first} {last} <{}>\nDate:   Mon Nov 23 06:07:08 2026 +0000\n\n    Fix the parser\n\n    Signed-off-by: {first} {last} <{}>\n\n",
            r.word(),
            r.word(),
            r.word() as u32,
            email(first, last, i, "dev.example"),
            email(first, last, i, "dev.example")
        )
    })
}

fn package(r: &mut Random) -> String {
    let authors: Vec<String> = (0..8)
        .map(|i| {
            let (first, last) = corpus::name(r);
            format!(
                "    {{\"name\": \"{first} {last}\", \"email\": \"{}\"}}",
                email(first, last, i, "dev.example")
            )
        })
        .collect();
    format!(
        "{{\n  \"name\": \"left-pad\",\n  \"version\": \"1.2.3\",\n  \"license\": \"MIT\",\n  \"contributors\": [\n{}\n  ]\n}}\n",
        authors.join(",\n")
    )
}

fn changelog(r: &mut Random) -> String {
    rows(30, |i| {
        let (first, last) = corpus::name(r);
        format!(
            "## 1.{i}.0\n\n- Fix the lexer. Thanks to {first} {last} <{}>\n- Bump version\n\n",
            email(first, last, i, "dev.example")
        )
    })
}

fn survey(r: &mut Random) -> String {
    "respondent_id,job_title,years_of_experience,salary_range,country\n".to_owned()
        + &rows(100, |i| format!("{i},Engineer,{},{}-{}k,DE\n", r.below(30), 40 + i % 50, 50 + i % 50))
}

fn products(r: &mut Random) -> String {
    "sku,name,price,weight_kg\n".to_owned()
        + &rows(100, |i| {
            format!("SK{i:05},Garden Chair {},{}.99,{}.5\n", r.pick(&["Red", "Blue"]), r.below(90), i % 9)
        })
}

fn sensors(r: &mut Random) -> String {
    "sensor_id,timestamp,temperature,voltage\n".to_owned()
        + &rows(300, |i| {
            format!("s{:04},{},{}.{:02},3.{}\n", i % 50, 1_763_877_600 + i, r.below(40), r.below(100), i % 10)
        })
}

fn test_data(r: &mut Random) -> String {
    "name,email,phone\n".to_owned()
        + &rows(30, |i| {
            let (first, last) = corpus::name(r);
            format!("{first} {last},{},555-01{i:02}\n", email(first, last, i, "example.com"))
        })
}

fn uuids(r: &mut Random) -> String {
    rows(200, |_| {
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}\n",
            r.word() as u32,
            r.below(65536),
            r.below(4096),
            r.below(4096),
            r.word() >> 16
        )
    })
}

fn cities(r: &mut Random) -> String {
    "city,country,population\n".to_owned()
        + &rows(80, |_| format!("New {},Land,{}\n", r.pick(&["York", "Haven", "Town"]), r.below(9_000_000)))
}

fn source(r: &mut Random) -> String {
    rows(200, |i| {
        format!(
            "static int f{i}(int a) {{ return a * {} + 0x{:x}; }} /* see table {i} */\n",
            r.below(99),
            r.word()
        )
    })
}

fn events(r: &mut Random) -> String {
    "timestamp,visitor_id,event,page_url,duration_ms\n".to_owned()
        + &rows(400, |i| {
            format!(
                "2026-11-23T06:{:02}:{:02}Z,v{:06},click,/p/{},{}\n",
                i / 60 % 60,
                i % 60,
                r.below(90),
                i % 20,
                r.below(900)
            )
        })
}

fn auth_log(r: &mut Random) -> String {
    rows(200, |i| {
        let (first, _) = corpus::name(r);
        format!(
            "Nov 23 06:{:02}:{:02} gate sshd[{}]: Accepted publickey for {} from 198.51.100.{} port 5{:04} ssh2\n",
            i / 60,
            i % 60,
            900 + i,
            first.to_lowercase(),
            i % 250,
            i
        )
    })
}

fn app_log(r: &mut Random) -> String {
    rows(300, |i| {
        format!(
            "2026-11-23 06:07:{:02},123 INFO user_id={} action=download file=/reports/{}.pdf\n",
            i % 60,
            1000 + r.below(60),
            i
        )
    })
}

fn tracking(r: &mut Random) -> String {
    rows(100, |i| {
        format!(
            "{{\"event\":\"{}\",\"anonymousId\":\"a{:010x}\",\"sentAt\":\"2026-11-23T06:07:{:02}Z\",\"context\":{{\"page\":{{\"path\":\"/x\"}}}}}},\n",
            r.pick(&["open", "scroll"]),
            r.below(1 << 38),
            i % 60
        )
    })
}

fn metrics(r: &mut Random) -> String {
    "time,host,cpu,memory\n".to_owned()
        + &rows(300, |i| {
            format!("2026-11-23T06:07:{:02}Z,web-{},{}.5,{}\n", i % 60, i % 9, r.below(100), r.below(1 << 34))
        })
}

fn build_log(r: &mut Random) -> String {
    rows(300, |i| {
        format!(
            "2026-11-23T06:07:{:02}.{:03}Z [step {}] Compiling module_{} v0.{}.{}\n",
            i % 60,
            r.below(1000),
            i % 12,
            i,
            i % 9,
            r.below(30)
        )
    })
}

fn kernel_log(r: &mut Random) -> String {
    rows(300, |i| {
        format!(
            "Nov 23 06:07:{:02} node7 kernel: [{:>6}.{:06}] usb 1-{}: new device number {}\n",
            i % 60,
            i * 7,
            r.below(1_000_000),
            i % 8,
            r.below(90)
        )
    })
}

fn dot_env(r: &mut Random) -> String {
    format!(
        "APP_ENV=production\nDB_PASSWORD=gH7!{}\nDATA_ENCRYPTION_KEY={:016x}{:016x}{:016x}{:016x}\nPORT=8080\n",
        random(r, 9),
        r.word(),
        r.word(),
        r.word(),
        r.word()
    )
}

fn aws_credentials(r: &mut Random) -> String {
    let id: String = (0..16)
        .map(|_| {
            char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".get(r.below(32) as usize).copied().unwrap_or(b'A'))
        })
        .collect();
    format!(
        "[default]\naws_access_key_id = AKIA{id}\naws_secret_access_key = {}/{}\nregion = eu-central-1\n",
        random(r, 20),
        random(r, 19)
    )
}

fn pem(r: &mut Random, label: &str) -> String {
    let body = String::from_utf8_lossy(&corpus::base64(r, 700)).into_owned();
    let body = if label.starts_with("OPENSSH") {
        format!("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAA{body}")
    } else {
        body
    };
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

fn service_account(r: &mut Random) -> String {
    let key = pem(r, "PRIVATE KEY").replace('\n', "\\n");
    format!(
        "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"acme\",\n  \"private_key\": \"{key}\",\n  \"client_email\": \"robot@acme.example\"\n}}\n"
    )
}

fn config(r: &mut Random) -> String {
    format!("database:\n  url: postgres://app:{}7@db.acme.example/main\ncache:\n  ttl: 30\n", random(r, 14))
}

fn lockfile(r: &mut Random) -> String {
    let entries = rows(100, |i| {
        format!(
            "    \"node_modules/m{i}\": {{\"version\": \"1.{i}.0\", \"integrity\": \"sha512-{}==\"}},\n",
            random(r, 86)
        )
    });
    format!(
        "{{\n  \"lockfileVersion\": 3,\n  \"packages\": {{\n{}\n  }}\n}}\n",
        entries.trim_end_matches(",\n")
    )
}

fn docs(_: &mut Random) -> String {
    "# Signing in\n\nSet `password: \"your-password\"` in the file, or pass `--token $TOKEN`. An access key looks like \
     AKIAIOSFODNN7EXAMPLE, its secret like wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY.\n\n```\n-----BEGIN RSA PRIVATE KEY-----\n\
     ...\n-----END RSA PRIVATE KEY-----\n```\n\nWrite to jane@example.com or call 555-0100.\n"
        .to_owned()
}
