//! Which names do columns about people have, in the languages that companies export tables in?

use super::Meaning::{self, *};

/// By meaning, in the normal form of names, with a blank between them.
pub(super) const PHRASES: &[(Meaning, &str)] = &[
    (
        FullName,
        "full_name name employee_name display_name legal_name preferred_name staff_name worker employee \
         person person_name member_name contact_name mitarbeiter mitarbeitername vollname nom_complet \
         nombre_completo empleado nome_completo dipendente medewerker naam volledige_naam imie_i_nazwisko \
         pracownik namn navn nimi cn fn displayname fullname фио ф_и_о сотрудник 氏名 名前 社員名 姓名 员工姓名 이름 성명 \
         ad_soyad calisan cele_jmeno zamestnanec dolgozo nume_complet angajat ansat medarbejder \
         medarbejdernavn tyontekija ονοματεπωνυμο ime_i_prezime ime_in_priimek nome_e_cognome \
         nome_e_sobrenome funcionario collaborateur salarie",
    ),
    (
        FirstName,
        "first_name given_name forename fname firstname givenname vorname prenom nombre voornaam imie fornamn \
         fornavn etunimi nome first имя 名 isim jmeno krestni_jmeno keresztnev utonev prenume ονομα \
         primeiro_nome",
    ),
    (
        LastName,
        "last_name surname family_name lname lastname nachname familienname nom nom_de_famille apellido \
         apellidos cognome achternaam nazwisko efternamn etternavn sukunimi sobrenome apelido sn last фамилия \
         姓 soyad soyadi prijmeni vezeteknev nume_de_familie επωνυμο prezime priimek ultimo_nome",
    ),
    (
        Email,
        "email e_mail mail email_address work_email company_email corporate_email mail_address e_mail_adresse \
         correo correo_electronico courriel adresse_mail posta_elettronica epost upn user_principal_name smtp \
         эл_почта электронная_почта почта メール メールアドレス 邮箱 电子邮件 电子邮箱 이메일 eposta e_posta e_post sahkoposti \
         correo_corporativo email_cim e_mail_cim mejl",
    ),
    (
        Phone,
        "phone phone_number telephone telephone_number mobile mobile_number mobile_phone cell cell_phone \
         work_phone business_phone extension desk_phone tel telefon telefonnummer handy telefono movil \
         portable telefoon mobiel celular msisdn fax contact_number телефон мобильный 電話 電話番号 携帯 携帯電話 电话 手机 \
         手机号 联系电话 전화 전화번호 휴대폰 telefone telefonszam puhelin mobil telefonnr τηλεφωνο telefonnumer \
         numer_telefonu",
    ),
    (
        NationalId,
        "ssn social_security social_security_number national_id national_insurance nino ni_number nhs \
         nhs_number tax_id tin steuer_id steuer_identifikationsnummer steueridentifikationsnummer \
         steuernummer idnr nir numero_secu insee codice_fiscale cf dni nie nif bsn burgerservicenummer \
         rijksregisternummer niss nrn pesel personnummer sin social_insurance_number tfn tax_file_number \
         aadhaar aadhar uid_number cpf hetu henkilotunnus pps ppsn fodselsnummer ahv cnp oib egn isikukood \
         asmens_kodas personal_code rodne_cislo amka passport passport_number identity_number id_card \
         sozialversicherungsnummer cpr govt_id government_id снилс инн паспорт マイナンバー 身份证号 身份证 주민등록번호 \
         tc_kimlik_no tc_kimlik adoazonosito adoazonosito_jel taj_szam emso jmbg personas_kods \
         matricule_national cpr_nummer cpr_nr curp pan_number αμκα personal_id_number fiscal_code \
         numero_fiscal steuerid svnr ahv_nummer",
    ),
    (
        EmployeeId,
        "employee_id emp_id employee_number employee_no emp_no empid staff_id staff_number worker_id \
         personnel_number personalnummer matricule matricola numero_empleado personeelsnummer badge badge_id \
         payroll_id payroll_number eid employeeid anstallningsnummer табельный_номер 社員番号 従業員番号 工号 员工编号 사번 \
         sicil_no sicil_numarasi osobni_cislo torzsszam matricula numero_de_empleado numer_pracownika \
         nr_pracownika medarbejdernummer ansattnummer henkilonumero mitarbeiternummer mitarbeiter_nr \
         mitarbeiter_id staff_no employee_code emp_code worker_number",
    ),
    (Username, "username user_name login login_name sam_account_name samaccountname user account_name uid"),
    (
        UserId,
        "user_id userid customer_id member_id account_id client_id visitor_id anonymous_id distinct_id \
         profile_id viewer_id subscriber_id person_id player_id uuid guid cid identity principal principal_id \
         actor actor_id subject sub user_pseudo_id remote_user requester auth_user",
    ),
    (SessionId, "session_id session sessionid sid visit_id session_token cookie cookie_id ga_session_id"),
    (
        DeviceId,
        "device_id device idfa idfv gaid aaid advertising_id imei android_id installation_id fingerprint \
         mac_address",
    ),
    (
        Ip,
        "ip ip_address client_ip remote_addr remote_ip source_ip src_ip c_ip remote_host x_forwarded_for \
         ipaddress client_addr source_ip_address",
    ),
    (
        Title,
        "title job_title position role job occupation designation job_role business_title jobtitle stelle \
         stellenbezeichnung berufsbezeichnung poste fonction intitule_de_poste puesto cargo ruolo mansione \
         qualifica functie stanowisko befattning grade job_level level job_family должность 役職 職位 职位 职务 직급 직책 \
         unvan pozisyon pozice funkce beosztas munkakor stilling stillingsbetegnelse tehtavanimike nimike \
         funcao poste_occupe intitule funktion position_title θεση radno_mesto",
    ),
    (
        Department,
        "department dept team division business_unit org_unit organizational_unit cost_center cost_centre \
         department_name abteilung bereich kostenstelle departement departamento reparto ufficio afdeling \
         dzial avdelning ou org squad отдел подразделение 部署 部門 部门 부서 departman bolum oddeleni osztaly \
         departament setor osasto afdelingsnavn τμημα odjel oddelek direction_service",
    ),
    (
        Manager,
        "manager manager_name manager_email manager_id supervisor reports_to line_manager reporting_manager \
         boss vorgesetzter vorgesetzte responsable superieur jefe supervisore leidinggevende przelozony chef \
         direct_reports руководитель начальник 上司 上長 经理 主管 直属上级 상사 관리자 yonetici nadrizeny vezeto felettes \
         gerente gestor supervisor_name leder naermeste_leder esimies superior_hierarquico prelozony n_1 \
         hierarchique προισταμενος manager_direct",
    ),
    (
        HireDate,
        "hire_date start_date date_of_hire hired hired_on joining_date join_date date_joined joined \
         employment_date termination_date end_date eintrittsdatum eintritt einstellungsdatum date_embauche \
         date_d_embauche fecha_contratacion fecha_de_contratacion fecha_ingreso data_assunzione \
         datum_in_dienst data_zatrudnienia anstallningsdatum hiredate tenure дата_приема \
         дата_приема_на_работу 入社日 入社年月日 入职日期 입사일 ise_giris_tarihi datum_nastupu belepes_datuma belepes \
         data_angajarii data_de_admissao data_admissao admissao fecha_de_alta fecha_alta fecha_de_ingreso \
         date_d_entree date_entree embauche ansaettelsesdato ansettelsesdato palvelussuhteen_alku \
         data_di_assunzione datum_indiensttreding indiensttreding seniority_date original_hire_date \
         last_day_worked ημερομηνια_προσληψης",
    ),
    (
        Salary,
        "salary base_salary annual_salary compensation pay pay_rate wage hourly_rate bonus gross_pay net_pay \
         total_comp payroll gehalt jahresgehalt lohn salaire salario sueldo stipendio salaris wynagrodzenie \
         lon ote equity annual_pay monthly_salary зарплата оклад 給与 年収 基本給 工资 薪资 薪水 年薪 급여 연봉 maas ucret \
         mzda fizetes salariu lonn loen palkka remuneracion remuneration retribuzione vencimento \
         bruttogehalt nettogehalt brutto_jahresgehalt μισθος ctc annual_ctc",
    ),
    (
        WorkPlace,
        "office location work_location site building desk floor room standort bureau oficina sede kantoor \
         vestiging workplace lieu_de_travail centro_de_trabajo arbeitsort miejsce_pracy luogo_di_lavoro",
    ),
    (
        EmploymentStatus,
        "employment_type employment_status contract_type worker_type employee_type fte contract \
         beschaftigungsgrad vertragsart performance_rating performance leave_balance pto_balance \
         vacation_days sick_days",
    ),
    (
        BirthDate,
        "birth_date date_of_birth dob birthday birthdate geburtsdatum geburtstag date_de_naissance \
         date_naissance fecha_de_nacimiento fecha_nacimiento data_di_nascita geboortedatum data_urodzenia \
         fodelsedatum bday дата_рождения 生年月日 出生日期 생년월일 dogum_tarihi datum_narozeni szuletesi_datum \
         szuletesi_ido data_nasterii data_de_nascimento nascimento syntymaaika fodselsdato foedselsdato \
         data_nascita ημερομηνια_γεννησης datum_rodenja",
    ),
    (
        Address,
        "address home_address street street_address address_line_1 address_line_2 address1 address2 \
         postal_address mailing_address residence adresse anschrift strasse direccion indirizzo adres zip \
         zip_code zipcode postal_code postcode plz adr адрес 住所 地址 住址 家庭住址 주소 adresa bydliste lakcim endereco \
         osoite domicilio domicile adresse_postale bostadsadress codigo_postal code_postal διευθυνση \
         wohnort",
    ),
    (
        Gender,
        "gender sex ethnicity marital_status nationality religion geschlecht sexe genero genere geslacht plec \
         emergency_contact пол 性別 性别 성별 cinsiyet pohlavi sexo kjonn sukupuoli nacionalidad nationalite \
         staatsangehorigkeit",
    ),
    (
        Iban,
        "iban bank_account account_number bank_account_number bank_details kontonummer bankverbindung \
         compte_bancaire cuenta_bancaria conto_corrente rekeningnummer sort_code routing_number cuenta_iban \
         numero_compte konto_iban szamlaszam cislo_uctu hesap_no bank_code ifsc",
    ),
    (Card, "card_number credit_card credit_card_number card pan cc_number ccnum payment_card kreditkarte"),
];
